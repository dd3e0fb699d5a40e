-- Cuts back leases that end later than any can, and finds those that have ended.
-- ARGV: now, the latest end of a lease, how many at most.
-- Answers id, data, text, tags and errors of each job whose lease has ended.
local beyond = redis.call('ZREVRANGEBYLEX', base .. 'z2', '+', '[' .. ARGV[2] .. '~', 'LIMIT', 0, ARGV[3])
local ids = {}
for index, found in ipairs(beyond) do
  ids[index] = string.sub(found, ID)
end
local data = get('d', ids)
for index, id in ipairs(ids) do
  if data[index] then
    local job = parse(data[index])
    leave(job, id)
    job.due = ARGV[2]
    enter(job, id)
  end
end
write()
local ended = redis.call('ZRANGEBYLEX', base .. 'z2', '-', '(' .. ARGV[1] .. '~', 'LIMIT', 0, ARGV[3])
ids = {}
for index, found in ipairs(ended) do
  ids[index] = string.sub(found, ID)
end
return describe(ids)
