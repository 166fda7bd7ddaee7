/**
 * Scripts of recover: they write what the archive knows into a Redis that has lost it. No move works meanwhile, since there is no epoch;
 * each of these does nothing (stopped) once there is one, or once another recover has begun. Each may be sent twice.
 *
 * KEYS[1] the prefix with its colon, ARGV[1] recover's token.
 */
const GUARD = `
local p, token = KEYS[1], ARGV[1]
if redis.call('GET', p .. 'recovering') ~= token or redis.call('EXISTS', p .. 'epoch') == 1 then return {'stopped'} end
local function num(value) return string.format('%.0f', value) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function each(width, restore)
  for at = 3, #ARGV, width do restore(at - 1) end
end
`

/**
 * begin: the token is this recover's from now on. ARGV: 2 the archive's epoch
 * → begun | agreed (there is nothing to recover) | foreign (another archive's Redis, which has accepted work)
 */
export const BEGIN = `
local p = KEYS[1]
local epoch = redis.call('GET', p .. 'epoch')
if epoch == ARGV[2] then return {'agreed'} end
if epoch and tonumber(redis.call('HGET', p .. 'counts', 'accepted') or 0) > 0 then return {'foreign'} end
redis.call('DEL', p .. 'epoch')
redis.call('SET', p .. 'recovering', ARGV[1])
return {'begun'}
`

/** clear: takes away what a recover that was cut has left. ARGV: 2 '', 3… keys */
export const CLEAR = `${GUARD}
for at = 3, #ARGV do redis.call('UNLINK', ARGV[at]) end
return {'ok'}
`

/** known: captures that must not be accepted anew. ARGV: 2 '', then of each: id, the time inside it */
export const KNOW = `${GUARD}
each(2, function(at) redis.call('ZADD', p .. 'known', ARGV[at + 2], ARGV[at + 1]) end)
return {'ok'}
`

/**
 * ended: a short trail of captures that have ended. ARGV: 2 trail seconds, then of each: id, head, event of its accept, event of its end
 */
export const RESTORE_ENDED = `${GUARD}
each(4, function(at)
  local trail = p .. 'trail:' .. ARGV[at + 1]
  if redis.call('EXISTS', trail) == 1 then return end
  redis.call('RPUSH', trail, ARGV[at + 2], ARGV[at + 3], ARGV[at + 4])
  redis.call('EXPIRE', trail, ARGV[2])
  redis.call('RPUSH', p .. 'trails', ARGV[at + 1])
end)
return {'ok'}
`

/**
 * entries: captures that go on, and dead letters. In flight they lie where the reconciler looks first, and take their key, if nobody before them has it.
 * ARGV: 2 '', then of each: id, stage, run, rev, envelope, key or '', articleKey's digest or '', head, event of its accept, event of its end or '', code, cause, time of the failure or ''
 */
export const RESTORE_ENTRIES = `${GUARD}
each(13, function(at)
  local id, stage, run, rev, env, key, url = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4], ARGV[at + 5], ARGV[at + 6], ARGV[at + 7]
  local failed = ARGV[at + 13]
  local entry, trail = p .. 'entry:' .. id, p .. 'trail:' .. id
  redis.call('DEL', trail)
  redis.call('RPUSH', trail, ARGV[at + 8], ARGV[at + 9])
  if ARGV[at + 10] ~= '' then redis.call('RPUSH', trail, ARGV[at + 10]) end
  if failed == '' then run = num(math.max(tonumber(run), now)) end
  redis.call('HSET', entry, 'stage', stage, 'run', run, 'rev', rev, 'since', failed == '' and num(now) or failed, 'deaths', 0, 'attempts', 0, 'waits', 0, 'env', env, 'url', url)
  if key ~= '' then redis.call('HSET', entry, 'key', key) end
  if failed == '' then
    redis.call('ZADD', p .. 'flight', 0, id)
    if key ~= '' then redis.call('SET', p .. 'key:' .. key, id, 'NX') end
  else
    redis.call('HSET', entry, 'dead', 1, 'code', ARGV[at + 11], 'cause', ARGV[at + 12])
    redis.call('ZADD', p .. 'dead', failed, id)
  end
end)
return {'ok'}
`

/** urls: the URL ledger. ARGV: 2 seconds that an address is kept, then of each: digest, time of its last capture, captures, articleId or '' */
export const RESTORE_URLS = `${GUARD}
each(4, function(at)
  local url = p .. 'url:' .. ARGV[at + 1]
  redis.call('HSET', url, 'captures', ARGV[at + 3])
  if ARGV[at + 4] ~= '' then redis.call('HSET', url, 'articleId', ARGV[at + 4]) end
  redis.call('EXPIRE', url, ARGV[2])
  redis.call('ZADD', p .. 'urls', ARGV[at + 2], ARGV[at + 1])
end)
return {'ok'}
`

/**
 * totals: the last step, all or nothing: counters, the tail check's mark, and the epoch, with which everything moves again.
 * ARGV: 2 epoch, 3 mark, then name, count of each counter → done | stopped | unbalanced
 */
export const RESTORE_TOTALS = `
if redis.call('GET', KEYS[1] .. 'epoch') == ARGV[2] and redis.call('GET', KEYS[1] .. 'recovered') == ARGV[1] then return {'done'} end
${GUARD}
local accepted, failed, sum = 0, 0, 0
for at = 4, #ARGV, 2 do
  local name, count = ARGV[at], tonumber(ARGV[at + 1])
  if name == 'accepted' then accepted = count else sum = sum + count end
  if name == 'failed' then failed = count end
end
local flight, dead = redis.call('ZCARD', p .. 'flight'), redis.call('ZCARD', p .. 'dead')
if accepted ~= flight + sum or failed ~= dead then return {'unbalanced', accepted, flight, sum, failed, dead} end
redis.call('DEL', p .. 'counts')
for at = 4, #ARGV, 2 do redis.call('HSET', p .. 'counts', ARGV[at], ARGV[at + 1]) end
redis.call('SET', p .. 'mark', ARGV[3])
redis.call('SET', p .. 'epoch', ARGV[2])
redis.call('SET', p .. 'recovered', token)
redis.call('DEL', p .. 'recovering')
return {'done'}
`
