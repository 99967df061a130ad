-- renew: hold seats from now on, also those that Redis lost, or gave up while their holder was away.
-- KEYS   seats
-- ARGV   1 how long they are held (ms)  2… who has them
-- Reply  their score
-- Why    By the server's clock, which a process knows only about. Whoever has a seat keeps it, full or not: what has
--        begun is not ended for it. The first write is one that Redis lets through at maxmemory.
local time = redis.call('TIME')
local till = string.format('%.17g', time[1] * 1000 + time[2] / 1000 + ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
local scored = {}
for i = 2, #ARGV do
  scored[#scored + 1] = till
  scored[#scored + 1] = ARGV[i]
end
redis.call('ZADD', KEYS[1], unpack(scored))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return till
