/** Scripts of the keeper and of those who only look; the captureId is '' where none is meant. */

/**
 * touch: an entry was found to have its job (or was given one) and is looked at again later.
 * ARGV: 3 ms from now → ok
 */
export const TOUCH = `
redis.call('ZADD', p .. 'flight', 'XX', now + ARGV[3], id)
return {'ok'}
`

/**
 * look: the entries in flight untouched for a while, oldest first.
 * ARGV: 3 untouched for (ms), 4 at most → ok, then id, stage, envelope of each
 */
export const LOOK = `
local out = {'ok'}
for _, each in ipairs(redis.call('ZRANGEBYSCORE', p .. 'flight', '-inf', now - ARGV[3], 'LIMIT', 0, ARGV[4])) do
  local e = redis.call('HMGET', p .. 'entry:' .. each, 'stage', 'env')
  if e[1] then
    out[#out + 1] = each
    out[#out + 1] = e[1]
    out[#out + 1] = e[2]
  end
end
return out
`

/**
 * mark: a whole tail check went through; what lies twenty minutes before its mark need not be known any more.
 * ARGV: 3 the mark (ms), 4 known since (ms) → ok
 */
export const MARK = `
redis.call('SET', p .. 'mark', ARGV[3])
redis.call('ZREMRANGEBYSCORE', p .. 'known', '-inf', '(' .. ARGV[4])
return {'ok'}
`

/**
 * unknown: which of these captures Redis does not have. ARGV: 3… captureIds → ok, then the unknown ones
 */
export const UNKNOWN = `
local out = {'ok'}
for at = 3, #ARGV do
  local each = ARGV[at]
  if not redis.call('ZSCORE', p .. 'known', each) and redis.call('EXISTS', p .. 'entry:' .. each) == 0 then out[#out + 1] = each end
end
return out
`

/**
 * totals, seen at one moment. → ok, in flight, dead letters, the capture untouched for longest or '', then name, count of each counter
 */
export const TOTALS = `
local out = {'ok', redis.call('ZCARD', p .. 'flight'), redis.call('ZCARD', p .. 'dead'), redis.call('ZRANGE', p .. 'flight', 0, 0)[1] or ''}
for _, each in ipairs(redis.call('HGETALL', p .. 'counts')) do out[#out + 1] = each end
return out
`
