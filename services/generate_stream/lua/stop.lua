-- stop: ask for the end of the running generation, and wake its producer.
-- KEYS   log, meta
-- ARGV   1 generation, or '' for whichever runs  2 prefix of the control channels  3 session  4 owner or ''
-- Reply  {stopping, generation} | {idle} | {unknown}
-- Why    The mark outlives a lost wake-up and a dead producer: whoever next renews or claims the lease reads it.
--        The HDEL goes first because Redis refuses an HSET at maxmemory, unless the script has already written.
local log, meta = KEYS[1], KEYS[2]
local held = redis.call('HMGET', meta, 'status', 'generation', 'producer', 'owner')
if ARGV[4] ~= '' and held[4] ~= ARGV[4] then return {'unknown'} end
if held[1] == 'deleted' or not held[1] then
  if redis.call('EXISTS', log) == 1 then return {'idle'} end
  return {'unknown'}
end
if held[1] ~= 'running' or (ARGV[1] ~= '' and ARGV[1] ~= held[2]) then return {'idle'} end
redis.call('HDEL', meta, 'stop')
redis.call('HSET', meta, 'stop', held[2])
redis.call('PUBLISH', ARGV[2] .. held[3], ARGV[3])
return {'stopping', held[2]}
