/**
 * accept: a capture whose intake record is synced comes under way, or is counted as the repeat of one that waits already.
 * ARGV: 3 time inside the id (ms), 4 url, 5 key, 6 articleKey's digest or '', 7 first stage, 8 envelope, 9 rev, 10 trail seconds, 11 most trails, 12 most urls, 13 seconds that a url is kept
 * → accepted | duplicate, of which | known, duplicate of which or ''
 */
export const ACCEPT = `
if redis.call('ZSCORE', p .. 'known', id) or redis.call('EXISTS', entry) == 1 then
  local old = redis.call('LINDEX', trailKey, 0)
  return {'known', old and string.match(old, '^[^|]*|([^|]*)|') or ''}
end
redis.call('ZADD', p .. 'known', ARGV[3], id)
count('accepted', 1)
local urlDigest = ARGV[6]
if urlDigest ~= '' then
  local url = p .. 'url:' .. urlDigest
  local captures = redis.call('HGET', url, 'captures')
  redis.call('HSET', url, 'captures', captures and string.sub(id .. ' ' .. captures, 1, 37 * 10 - 1) or id)
  redis.call('EXPIRE', url, ARGV[13])
  redis.call('ZADD', p .. 'urls', now, urlDigest)
  if redis.call('ZCARD', p .. 'urls') > tonumber(ARGV[12]) then
    local oldest = redis.call('ZPOPMIN', p .. 'urls')
    redis.call('DEL', p .. 'url:' .. oldest[1])
  end
end
local key = ARGV[5]
local holder = redis.call('GET', p .. 'key:' .. key)
redis.call('RPUSH', trailKey, '|' .. (holder or '') .. '|' .. ARGV[4])
trail('accepted', ARGV[7], '', '', '', '', '', '')
if holder then
  count('duplicate-run', 1)
  trail('ended', ARGV[7], '', '', '', 'duplicate-run', '', '')
  forgetTrailLater(ARGV[10], ARGV[11])
  return {'duplicate', holder}
end
redis.call('HSET', entry, 'stage', ARGV[7], 'run', 0, 'rev', ARGV[9], 'since', num(now), 'deaths', 0, 'attempts', 0, 'waits', 0, 'env', ARGV[8], 'key', key, 'url', urlDigest)
redis.call('SET', p .. 'key:' .. key, id)
redis.call('ZADD', p .. 'flight', now, id)
return {'accepted'}
`

/**
 * acceptEnded: the tail check found a capture that Redis has forgotten and whose end stands in the archive. It is counted; a `failed` one is a dead letter again.
 * That one starts at its first stage when it is retried: only of the intake is it known here where its record lies.
 * ARGV: 3 time inside the id, 4 url, 5 stage of the end, 6 envelope, 7 rev, 8 run, 9 outcome, 10 code, 11 cause, 12 articleId, 13 duplicateOf, 14 trail seconds, 15 most trails,
 * 16 first stage, 17 key, 18 articleKey's digest or ''
 * → accepted | known
 */
export const ACCEPT_ENDED = `
if redis.call('ZSCORE', p .. 'known', id) or redis.call('EXISTS', entry) == 1 then return {'known', ''} end
redis.call('ZADD', p .. 'known', ARGV[3], id)
count('accepted', 1)
count(ARGV[9], 1)
redis.call('RPUSH', trailKey, ARGV[12] .. '|' .. ARGV[13] .. '|' .. ARGV[4])
trail('accepted', '', '', '', '', '', '', '')
trail('ended', ARGV[5], ARGV[8], '', '', ARGV[9], ARGV[10], ARGV[11])
if ARGV[9] == 'failed' then
  redis.call('HSET', entry, 'stage', ARGV[16], 'run', ARGV[8], 'rev', ARGV[7], 'since', num(now), 'deaths', 0, 'attempts', 0, 'waits', 0, 'env', ARGV[6], 'key', ARGV[17], 'url', ARGV[18], 'dead', 1, 'code', ARGV[10], 'cause', ARGV[11])
  redis.call('ZADD', p .. 'dead', now, id)
else
  forgetTrailLater(ARGV[14], ARGV[15])
end
return {'accepted'}
`
