-- The state of jobs.
-- ARGV: ids.
-- Answers a digit for each; - where none is known.
local found = standings(ARGV)
local answers = {}
for index = 1, #ARGV do
  answers[index] = found[index] and string.sub(found[index], 1, 1) or '-'
end
return table.concat(answers)
