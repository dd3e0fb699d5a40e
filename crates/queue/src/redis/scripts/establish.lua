-- Tells a queue that Redis knows nothing of what the ledger knows besides jobs.
-- ARGV: the epoch, whether the queue is paused.
if redis.call('GET', base .. 'e') ~= ARGV[1] then
  redis.call('SET', base .. 'e', ARGV[1] .. '?')
end
if ARGV[2] == '1' then
  redis.call('SET', base .. 'p', '1')
else
  redis.call('DEL', base .. 'p')
end
return 0
