-- Gives the first available jobs to a worker.
-- ARGV: the epoch, how many at most, the end of the lease, now, the worker.
-- Answers what is known of this queue (0: all; 1: nothing, and no job is given; 2: it is being found out), then id,
-- data as it was, text and tags of each job.
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
local n = 1
for index, id in ipairs(ids) do
  local data, text = found[index], texts[index]
  local attempt, rest = string.match(data or '', WAITING)
  if attempt and text then
    enter_at('2', ARGV[3] .. id, id,
      '2 ' .. ARGV[3] .. ' ' .. (attempt + 1) .. ' ' .. rest .. ' ' .. ARGV[4] .. ' - ' .. ARGV[5])
    answer[n + 1] = id
    answer[n + 2] = data
    answer[n + 3] = text
    answer[n + 4] = tags[index] or ''
    n = n + 4
  end
end
write()
return answer
