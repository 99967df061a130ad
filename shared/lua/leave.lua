-- leave: an answer is over, or never began: give back what it had of a subject's quotas, and count what it took.
-- KEYS   starts, running, tokens: of one subject
-- ARGV   1 the start to take back, or ''  2 session  3 the score of its seat as last seen, or ''  4 tokens that it took
--        5 the score that the seat had before, to put back, or ''
-- Reply  1
-- Why    A seat is left only at the score last seen, so that it stays with whoever has it now: another process that
--        took the answer over, or the session's next one. A start that was refused puts back the score of the answer
--        that runs, whose own leave would else find another's. The tokens of a day are gone at midnight (UTC) by themselves.
--        The first write is one that Redis lets through at maxmemory, and what follows it too.
local starts, running, tokens = unpack(KEYS)
redis.call('ZREM', starts, ARGV[1])
local score = ARGV[3] ~= '' and redis.call('ZSCORE', running, ARGV[2])
if score and tonumber(score) == tonumber(ARGV[3]) then
  if ARGV[5] == '' then
    redis.call('ZREM', running, ARGV[2])
  else
    redis.call('ZADD', running, ARGV[5], ARGV[2])
  end
end
if ARGV[4] ~= '0' then
  local day = 86400
  redis.call('INCRBY', tokens, ARGV[4])
  if redis.call('PTTL', tokens) < 0 then
    redis.call('EXPIREAT', tokens, (math.floor(redis.call('TIME')[1] / day) + 1) * day)
  end
end
return 1
