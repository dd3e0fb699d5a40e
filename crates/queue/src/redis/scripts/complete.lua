-- Ends jobs that leave nothing behind, as nearly all do, without taking apart what is known of them.
-- ARGV: id and token of each job. Only one that executes under its token ends.
-- Answers a letter for each: 1 ended, 0 left alone, - not known.
local ids = {}
for at = 1, #ARGV, 2 do
  ids[#ids + 1] = ARGV[at]
end
local answers = {}
for number, standing in ipairs(standings(ids)) do
  answers[number] = '-'
  if standing then
    local state, due, attempt = string.match(standing, '^(%d) (%d+) (%d+) ')
    if state == '2' and attempt == ARGV[number * 2] then
      leave_from(state, due .. ids[number])
      dead[#dead + 1] = ids[number]
      answers[number] = '1'
    else
      answers[number] = '0'
    end
  end
end
write()
return table.concat(answers)
