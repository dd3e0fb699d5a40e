-- Deletes ended jobs that have been kept for long enough, and the oldest of those that are more than are kept.
-- ARGV: now, how many at most, how many are kept in each state.
-- Answers how many were deleted.
local left = tonumber(ARGV[2])
for _, state in ipairs({ '4', '5', '6' }) do
  local name = base .. 'z' .. state
  local old = redis.call('ZRANGEBYLEX', name, '-', '(' .. ARGV[1] .. '~', 'LIMIT', 0, left)
  local surplus = math.min(redis.call('ZCARD', name) - tonumber(ARGV[3]), left)
  if surplus > #old then
    -- The oldest are due first, so these begin with those that are due.
    old = redis.call('ZRANGE', name, 0, surplus - 1)
  end
  if #old > 0 then
    call('ZREM', 'z' .. state, old)
    for _, found in ipairs(old) do
      dead[#dead + 1] = string.sub(found, ID)
    end
    left = left - #old
  end
end
write()
return #dead
