-- Moves the end of leases.
-- ARGV: the new end; then id and token for each job.
-- Answers a letter for each: 1 extended, x extended and to be cancelled, 0 somebody else's, - not known.
local ids = {}
for at = 2, #ARGV, 2 do
  ids[#ids + 1] = ARGV[at]
end
local found = standings(ids)
local answers = {}
for number, id in ipairs(ids) do
  local job = found[number] and parse(found[number])
  if not job then
    answers[number] = '-'
  elseif job.state ~= '2' or job.attempt ~= ARGV[number * 2 + 1] then
    answers[number] = '0'
  else
    leave(job, id)
    job.due = ARGV[1]
    enter(job, id)
    answers[number] = job.cancelling == '1' and 'x' or '1'
  end
end
write()
return table.concat(answers)
