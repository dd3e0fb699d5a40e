-- Reads the newest jobs.
-- ARGV: the id that they are older than, or an empty text; how many at most; how many hundreds of ids are looked through at
-- most.
-- Answers the id from which on all were looked at, or an empty text where there is none older; then id, data, text, tags
-- and errors of each.
local before, most = ARGV[1], tonumber(ARGV[2])
local from = before == '' and '+' or '[' .. string.sub(before, 1, HUNDREDS)
local hundreds = redis.call('ZREVRANGEBYLEX', base .. 'i', from, '-', 'LIMIT', 0, ARGV[3])
local found, looked_at = {}, ''
for _, hundred in ipairs(hundreds) do
  local ids = {}
  for last = 99, 0, -1 do
    local id = hundred .. string.format('%02d', last)
    if before == '' or id < before then
      ids[#ids + 1] = id
    end
  end
  local texts = get('s', ids)
  for index, id in ipairs(ids) do
    if texts[index] then
      found[#found + 1] = id
      if #found == most then
        break
      end
    end
  end
  looked_at = #found == most and found[most] or hundred .. '00'
  if #found == most then
    break
  end
end
if #found < most and #hundreds < tonumber(ARGV[3]) then
  looked_at = ''
end
local answer = describe(found)
table.insert(answer, 1, looked_at)
return answer
