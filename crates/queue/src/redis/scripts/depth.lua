-- Counts the jobs of each state, and finds the one that has been available for the longest time: the first of each
-- priority in use is the oldest of it.
-- Answers the counts, then since when, or an empty text.
local answer = {}
for state = 0, 6 do
  answer[state + 1] = redis.call('ZCARD', base .. 'z' .. state)
end
local oldest = ''
local from = '-'
while true do
  local first = redis.call('ZRANGEBYLEX', base .. 'z1', from, '+', 'LIMIT', 0, 1)[1]
  if not first then
    break
  end
  local since = string.sub(first, 4, 21)
  if oldest == '' or since < oldest then
    oldest = since
  end
  from = '[' .. string.sub(first, 1, 3) .. '~'
end
answer[8] = oldest
return answer
