-- Makes jobs available whose time has come.
-- ARGV: now, how many at most.
-- Answers how many.
local ids, waiting = {}, {}
for _, state in ipairs({ '0', '3' }) do
  local left = tonumber(ARGV[2]) - #ids
  if left > 0 then
    local due = redis.call('ZRANGEBYLEX', base .. 'z' .. state, '-', '(' .. ARGV[1] .. '~', 'LIMIT', 0, left)
    for _, found in ipairs(due) do
      ids[#ids + 1] = string.sub(found, ID)
      waiting[#waiting + 1] = 'z' .. state
      waiting[#waiting + 1] = found
    end
  end
end
local data = standings(ids)
for index, id in ipairs(ids) do
  if data[index] then
    local job = parse(data[index])
    leave(job, id)
    job.state = '1'
    enter(job, id)
  else
    redis.call('ZREM', base .. waiting[index * 2 - 1], waiting[index * 2])
  end
end
write()
return #ids
