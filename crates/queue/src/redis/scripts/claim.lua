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
local data, texts, tags = get('d', ids), get('s', ids), get('g', ids)
for index, id in ipairs(ids) do
  if data[index] and texts[index] then
    local job = parse(data[index])
    job.state = '2'
    job.due = ARGV[3]
    job.attempt = string.format('%d', tonumber(job.attempt) + 1)
    job.started = ARGV[4]
    job.worker = ARGV[5]
    enter(job, id)
    local n = #answer
    answer[n + 1] = id
    answer[n + 2] = data[index]
    answer[n + 3] = texts[index]
    answer[n + 4] = tags[index] or ''
  end
end
write()
return answer
