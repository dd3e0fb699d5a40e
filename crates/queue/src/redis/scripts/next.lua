-- When the next job of a queue becomes available or the next lease ends; an empty text if nothing waits.
local soonest = ''
for _, state in ipairs({ '0', '2', '3' }) do
  local first = redis.call('ZRANGE', base .. 'z' .. state, 0, 0)[1]
  if first and (soonest == '' or string.sub(first, 1, 18) < soonest) then
    soonest = string.sub(first, 1, 18)
  end
end
return soonest
