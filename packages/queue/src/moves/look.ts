/** Scripts that only look, for those who must not take an emptied Redis for one in which nothing is under way: each checks the epoch. */

/**
 * all: every capture in flight and every dead letter, seen at one moment. → ok, ids
 */
export const ALL = `
local out = {'ok'}
for _, set in ipairs({'flight', 'dead'}) do
  for _, each in ipairs(redis.call('ZRANGE', p .. set, 0, -1)) do out[#out + 1] = each end
end
return out
`

/**
 * entries: where captures stand. ARGV: 3… captureIds → ok, then of each: stage or '', dead or '', envelope or ''
 */
export const ENTRIES = `
local out = {'ok'}
for at = 3, #ARGV do
  local e = redis.call('HMGET', p .. 'entry:' .. ARGV[at], 'stage', 'dead', 'env')
  for field = 1, 3 do out[#out + 1] = e[field] or '' end
end
return out
`

/**
 * failures: a page of the dead letters, oldest first.
 * ARGV: 3 at most, 4 time (ms) of the last one shown or '', 5 its id → ok, how many there are, then of each: id, time, stage, code, cause, envelope
 */
export const FAILURES = `
local dead = p .. 'dead'
local first = 0
if ARGV[4] ~= '' then
  first = redis.call('ZRANK', dead, ARGV[5])
  if first then first = first + 1
  else
    -- It was retried or dismissed meanwhile: on with those that failed at the same time or later, and none is passed over.
    first = redis.call('ZCOUNT', dead, '-inf', '(' .. ARGV[4])
  end
end
local out = {'ok', redis.call('ZCARD', dead)}
local found = redis.call('ZRANGE', dead, first, first + ARGV[3] - 1, 'WITHSCORES')
for at = 1, #found, 2 do
  local e = redis.call('HMGET', p .. 'entry:' .. found[at], 'stage', 'code', 'cause', 'env')
  out[#out + 1] = found[at]
  out[#out + 1] = num(found[at + 1])
  for field = 1, 4 do out[#out + 1] = e[field] or '' end
end
return out
`

/**
 * failure: one dead letter. → ok, then id, time, stage, code, cause, envelope; ok alone where it is none
 */
export const FAILURE = `
local e = redis.call('HMGET', entry, 'dead', 'stage', 'code', 'cause', 'env')
if not e[1] then return {'ok'} end
return {'ok', id, num(redis.call('ZSCORE', p .. 'dead', id) or 0), e[2], e[3] or '', e[4] or '', e[5]}
`
