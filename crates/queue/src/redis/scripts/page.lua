-- Reads jobs along a sorted set.
-- ARGV: the set, whether backwards, the bound to begin at, how many at most.
-- Answers id, data, text, tags and errors of each.
local found
if ARGV[2] == '1' then
  found = redis.call('ZREVRANGEBYLEX', base .. ARGV[1], ARGV[3], '-', 'LIMIT', 0, ARGV[4])
else
  found = redis.call('ZRANGEBYLEX', base .. ARGV[1], ARGV[3], '+', 'LIMIT', 0, ARGV[4])
end
local ids = {}
for index, one in ipairs(found) do
  ids[index] = string.sub(one, ID)
end
return describe(ids)
