-- seat: take one of a subject's seats.
-- KEYS   seats
-- ARGV   1 who takes it  2 how many there are  3 how long it is held (ms)
-- Reply  1, or 0 where none is free
-- Why    One step counts and takes, so that processes asked in the same moment give away no seat twice. Seats that are
--        over are removed by the server's clock; those further ahead than they are held are of a clock that went back.
--        The first write is one that Redis lets through at maxmemory, where viewers are served as ever.
local seats, held, margin = KEYS[1], tonumber(ARGV[3]), 1000
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
redis.call('ZREMRANGEBYSCORE', seats, '-inf', now)
redis.call('ZREMRANGEBYSCORE', seats, now + held + margin, '+inf')
if redis.call('ZCARD', seats) >= tonumber(ARGV[2]) and not redis.call('ZSCORE', seats, ARGV[1]) then return 0 end
redis.call('ZADD', seats, now + held, ARGV[1])
redis.call('PEXPIRE', seats, ARGV[3])
return 1
