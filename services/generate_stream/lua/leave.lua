-- leave: take a session out of the index of running generations, unless it was entered again meanwhile.
-- KEYS   llm:running
-- ARGV   1 session  2 the score last seen
-- Reply  1 if it left, else 0
-- Why    The index is in another slot than the logs, so no other script can keep it; comparing the score is what keeps
--        a sweeper from taking out a generation that has begun since it looked.
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if score and tonumber(score) == tonumber(ARGV[2]) then return redis.call('ZREM', KEYS[1], ARGV[1]) end
return 0
