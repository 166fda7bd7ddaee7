/**
 * retry: a dead letter is in flight again. At fetch it takes its key, or ends as \`duplicate-run\` where another holds it. Where its record is gone it starts at fetch.
 * ARGV: 3 envelope for fetch or '', 4 trail seconds, 5 most trails, 6 key of that fetch or '' → retried, stage, envelope, run | duplicate, of which, stage, run | not-dead
 */
export const RETRY = `
local e = redis.call('HMGET', entry, 'dead', 'stage', 'run', 'code', 'key')
if not e[1] then return {'not-dead'} end
local stage = e[2]
if e[4] == 'record-lost' and ARGV[3] ~= '' then
  stage = 'fetch'
  redis.call('HSET', entry, 'stage', stage, 'env', ARGV[3], 'key', ARGV[6])
  e[5] = ARGV[6]
end
redis.call('ZREM', p .. 'dead', id)
count('failed', -1)
local run = num(e[3] + 1)
if stage == 'fetch' and e[5] then
  local holder = redis.call('GET', p .. 'key:' .. e[5])
  if holder and holder ~= id then
    redis.call('DEL', entry)
    count('duplicate-run', 1)
    head('', holder)
    trail('ended', stage, run, '', '', 'duplicate-run', '', '')
    forgetTrailLater(ARGV[4], ARGV[5])
    return {'duplicate', holder, stage, run}
  end
  takeKey()
end
redis.call('HDEL', entry, 'dead', 'code', 'cause', 'limited')
redis.call('HSET', entry, 'run', run, 'since', num(now), 'attempts', 0, 'waits', 0, 'deaths', 0)
redis.call('ZADD', p .. 'flight', now, id)
trail('retried', stage, run, '', '', '', '', '')
return {'retried', stage, redis.call('HGET', entry, 'env'), run}
`

/**
 * dismiss: an operator lays a dead letter aside.
 * ARGV: 3 trail seconds, 4 most trails → dismissed, stage, run | not-dead
 */
export const DISMISS = `
local e = redis.call('HMGET', entry, 'dead', 'stage', 'run')
if not e[1] then return {'not-dead'} end
redis.call('DEL', entry)
redis.call('ZREM', p .. 'dead', id)
count('failed', -1)
count('dismissed', 1)
local run = num(e[3] + 1)
trail('dismissed', e[2], run, '', '', 'dismissed', '', '')
forgetTrailLater(ARGV[3], ARGV[4])
return {'dismissed', e[2], run}
`
