/**
 * start: the runner takes a job. The new run fences off every run before it: the greater of run + 1 and Redis's clock, so that no run comes twice, not even after a rollback.
 * ARGV: 3 stage → started, run, attempts, waits, envelope, time (ms) of the first rate limit of this stage or '' | late
 */
export const START = `
local e = redis.call('HMGET', entry, 'stage', 'run', 'dead', 'attempts', 'waits', 'env', 'limited')
if e[1] ~= ARGV[3] or e[3] then return late() end
local run = num(math.max(tonumber(e[2]) + 1, now))
redis.call('HSET', entry, 'run', run, 'since', num(now))
freeKey()
redis.call('ZADD', p .. 'flight', now, id)
trail('started', ARGV[3], run, num(e[4] + 1), '', '', '', '')
return {'started', run, e[4], e[5], e[6], e[7] or ''}
`

/**
 * hand over: the stage's output is in the archive; the capture is at the next stage.
 * ARGV: 3 stage, 4 run, 5 next stage, 6 envelope, 7 attempt, 8 ms → ok | late
 */
export const HAND_OVER = `
if not mine(ARGV[3], ARGV[4]) then return late() end
-- Start has freed it. Should it be held all the same it must not stay so: nobody would free it any more.
freeKey()
redis.call('HSET', entry, 'stage', ARGV[5], 'env', ARGV[6], 'since', num(now), 'deaths', 0, 'attempts', 0, 'waits', 0)
redis.call('HDEL', entry, 'key', 'limited')
redis.call('ZADD', p .. 'flight', now, id)
closeTrail(ARGV[4], 'handed-over', ARGV[3], ARGV[4], ARGV[7], ARGV[8], '', '', '')
return {'ok'}
`

/**
 * put back: the job waits for a back-off (an attempt is spent) or a rate limit (none is). Takes the capture's key again if nobody has it.
 * The run goes up, so that the same move sent twice is late the second time.
 * ARGV: 3 stage, 4 run, 5 attempts to add, 6 waits to add, 7 delay ms, 8 envelope or '', 9 attempt, 10 ms, 11 code, 12 reason → ok | late
 */
export const PUT_BACK = `
if not mine(ARGV[3], ARGV[4]) then return late() end
redis.call('HINCRBY', entry, 'attempts', ARGV[5])
redis.call('HINCRBY', entry, 'waits', ARGV[6])
redis.call('HSET', entry, 'run', num(ARGV[4] + 1), 'since', num(now))
if ARGV[8] ~= '' then redis.call('HSET', entry, 'env', ARGV[8]) end
if ARGV[11] == 'rate-limited' then redis.call('HSETNX', entry, 'limited', num(now)) end
takeKey()
redis.call('ZADD', p .. 'flight', now + ARGV[7], id)
closeTrail(ARGV[4], 'put-back', ARGV[3], ARGV[4], ARGV[9], ARGV[10], '', ARGV[11], ARGV[12])
return {'ok'}
`

/**
 * death: a parser died of, or overran on, this capture's page. Counted once for each run.
 * ARGV: 3 stage, 4 run, 5 code → died, deaths | late
 */
export const DEATH = `
if not mine(ARGV[3], ARGV[4]) then return late() end
if redis.call('HGET', entry, 'deathRun') ~= ARGV[4] then
  redis.call('HSET', entry, 'deathRun', ARGV[4])
  redis.call('HINCRBY', entry, 'deaths', 1)
  trail('died', ARGV[3], ARGV[4], '', '', '', ARGV[5], '')
end
return {'died', redis.call('HGET', entry, 'deaths')}
`

/**
 * end: one counted outcome. \`failed\` keeps the entry as a dead letter.
 * ARGV: 3 stage, 4 run, 5 outcome, 6 code, 7 reason, 8 articleId, 9 attempt, 10 ms, 11 trail seconds, 12 most trails → ok | late
 */
export const END = `
if not mine(ARGV[3], ARGV[4]) then return late() end
count(ARGV[5], 1)
redis.call('ZREM', p .. 'flight', id)
closeTrail(ARGV[4], 'ended', ARGV[3], ARGV[4], ARGV[9], ARGV[10], ARGV[5], ARGV[6], ARGV[7])
head(ARGV[8], '')
freeKey()
local urlDigest = redis.call('HGET', entry, 'url')
if ARGV[8] ~= '' and urlDigest and urlDigest ~= '' and redis.call('EXISTS', p .. 'url:' .. urlDigest) == 1 then
  redis.call('HSET', p .. 'url:' .. urlDigest, 'articleId', ARGV[8])
end
if ARGV[5] == 'failed' then
  redis.call('HSET', entry, 'dead', 1, 'code', ARGV[6], 'cause', ARGV[7], 'since', num(now))
  redis.call('ZADD', p .. 'dead', now, id)
else
  redis.call('DEL', entry)
  forgetTrailLater(ARGV[11], ARGV[12])
end
return {'ok'}
`
