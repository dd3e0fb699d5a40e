-- Gives the first available jobs to a worker.
-- ARGV: the epoch, how many at most, the end of the lease, now, the worker.
-- Answers what is known of this queue (0: all; 1: nothing, and no job is given; 2: it is being found out); then id and text of
-- each job; then an empty text and, for those that were claimed before or have tags: the id, data as it was (empty where it
-- was never claimed), tags.
local epoch = redis.call('GET', base .. 'e')
local answer = { '0' }
if epoch == ARGV[1] .. '?' then
  answer[1] = '2'
elseif epoch ~= ARGV[1] then
  return { '1' }
end
if redis.call('EXISTS', base .. 'p') == 1 then
  return answer
end
local popped = redis.call('ZPOPMIN', base .. 'z1', ARGV[2])
if #popped == 0 then
  return answer
end
local ids = {}
for at = 1, #popped, 2 do
  ids[#ids + 1] = string.sub(popped[at], ID)
end
local found, texts, tags = get('d', ids), get('s', ids), get_rare('g', ids)
-- A job that is available has neither begun nor finished.
local WAITING = '^1 %d+ (%d+) (%d+ %d+ %d %d+) '
local function executing(attempt, rest)
  return '2 ' .. ARGV[3] .. ' ' .. attempt .. ' ' .. rest .. ' ' .. ARGV[4] .. ' - ' .. ARGV[5]
end
-- Those that were never claimed differ by their priority alone.
local first_time = {}
local special = {}
local n = 1
for index, id in ipairs(ids) do
  local data, text = found[index], texts[index]
  local standing
  if data then
    local attempt, rest = string.match(data, WAITING)
    standing = attempt and executing(attempt + 1, rest)
  else
    local priority = string.sub(popped[index * 2 - 1], 1, 3)
    standing = first_time[priority] or executing(1, '0 0 0 ' .. priority)
    first_time[priority] = standing
  end
  if standing and text then
    enter_at('2', ARGV[3] .. id)
    keep(id, standing)
    answer[n + 1], answer[n + 2] = id, text
    n = n + 2
    if data or tags[index] then
      local m = #special
      special[m + 1], special[m + 2], special[m + 3] = id, data or '', tags[index] or ''
    end
  end
end
write()
answer[n + 1] = ''
for number, word in ipairs(special) do
  answer[n + 1 + number] = word
end
return answer
