-- Says that every job of this queue that the ledger expects has been offered.
-- ARGV: the epoch.
if redis.call('GET', base .. 'e') == ARGV[1] .. '?' then
  redis.call('SET', base .. 'e', ARGV[1])
end
return 0
