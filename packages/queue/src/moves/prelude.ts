/**
 * What every move begins with. One hash tag for all keys, so that a script may compute them.
 *
 * KEYS[1] the prefix, ARGV[1] the epoch, ARGV[2] the captureId. Keys under the prefix:
 *   epoch          which Redis this is: a restored or emptied one has another, and every move then does nothing
 *   counts         hash: accepted, late and each outcome
 *   flight         sorted set of the captures in flight, by the time they were last touched (ms)
 *   dead           sorted set of the dead letters, by the time they failed
 *   known          sorted set of the captures accepted since the tail check's mark, by the time inside their id
 *   entry:<id>     hash, the registry entry: stage run rev since deaths attempts waits env key url (limited: the first rate limit of its stage) (dead code cause)
 *   key:<key>      the capture that holds back a second run of the same work
 *   trail:<id>     list: a head `articleId|duplicateOf|url`, then events `at|event|stage|run|attempt|ms|outcome|code|reason`
 *   trails         list of ended captures whose trail is kept, oldest first
 *   url:<articleKey's digest>   hash, the URL ledger: captures (newest first), articleId
 *   urls           sorted set of the ledger's addresses, by the time they were last touched
 *   mark           the tail check's mark (ms)
 * Written without the check of the epoch: recovering (recover's token, while it works), recovered (the token of the last one), lease:*, task:*, notices, home:*, probe.
 */
export const PRELUDE = `
local p, epoch, id = KEYS[1], ARGV[1], ARGV[2]
if redis.call('GET', p .. 'epoch') ~= epoch then return {'epoch'} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local entry, trailKey = p .. 'entry:' .. id, p .. 'trail:' .. id
local EVENTS = 60

local function count(name, by) redis.call('HINCRBY', p .. 'counts', name, by) end
local function num(value) return string.format('%.0f', value) end

-- A late word about a trail that was let go must not begin a new one without its head.
local function trail(...)
  local event = num(now) .. '|' .. table.concat({...}, '|')
  if redis.call('RPUSHX', trailKey, event) > EVENTS + 1 then
    local head = redis.call('LINDEX', trailKey, 0)
    redis.call('LTRIM', trailKey, -EVENTS, -1)
    redis.call('LPUSH', trailKey, head)
  end
end
-- The event that ends a run takes the place of the one that began it.
local function closeTrail(run, ...)
  local last = redis.call('LINDEX', trailKey, -1)
  if last and string.match(last, '^%d+|started|[^|]*|' .. run .. '|') then redis.call('RPOP', trailKey) end
  trail(...)
end
local function head(articleId, duplicateOf)
  local old = redis.call('LINDEX', trailKey, 0)
  if not old then return end
  local a, d, u = string.match(old, '^([^|]*)|([^|]*)|(.*)$')
  redis.call('LSET', trailKey, 0, (articleId ~= '' and articleId or a) .. '|' .. (duplicateOf ~= '' and duplicateOf or d) .. '|' .. u)
end
local function forgetTrailLater(seconds, most)
  redis.call('EXPIRE', trailKey, seconds)
  if redis.call('RPUSH', p .. 'trails', id) > tonumber(most) then
    redis.call('DEL', p .. 'trail:' .. redis.call('LPOP', p .. 'trails'))
  end
end
local function freeKey()
  local key = redis.call('HGET', entry, 'key')
  if key and redis.call('GET', p .. 'key:' .. key) == id then redis.call('DEL', p .. 'key:' .. key) end
end
local function takeKey()
  local key = redis.call('HGET', entry, 'key')
  if key then redis.call('SET', p .. 'key:' .. key, id, 'NX') end
end
-- In flight at this stage, with this run.
local function mine(stage, run)
  local e = redis.call('HMGET', entry, 'stage', 'run', 'dead')
  return e[1] == stage and e[2] == run and not e[3]
end
local function late()
  count('late', 1)
  return {'late'}
end
`
