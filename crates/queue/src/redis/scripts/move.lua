-- Brings jobs to another state.
-- ARGV: now; then id, token, what, due, error for each job. With a token, only a job that executes under it is moved.
-- Answers a letter for each: 1 moved, 0 left alone, x left alone because it is to be cancelled, - not known.
local now = ARGV[1]
local WIDTH = 5
local noted, lines = {}, {}

local function wait(job, state, due)
  job.state, job.due, job.started, job.worker = state, due, '-', '-'
end

local function finish(job, state, due)
  job.state, job.due, job.finished, job.cancelling = state, due, now, '0'
end

local function more(count)
  return string.format('%d', tonumber(count) + 1)
end

local moves = {
  c = function(job, due) finish(job, '4', due) end,
  r = function(job, due) wait(job, '3', due) job.failures = more(job.failures) end,
  s = function(job, due) wait(job, '0', due) end,
  h = function(job, due) wait(job, '1', due) end,
  l = function(job) wait(job, '1', job.started) job.losses = more(job.losses) end,
  d = function(job, due) finish(job, '5', due) job.failures = more(job.failures) end,
  D = function(job, due) finish(job, '5', due) job.losses = more(job.losses) end,
  k = function(job, due) finish(job, '6', due) end,
  K = function(job, due) finish(job, '6', due) job.losses = more(job.losses) end,
  o = function(job, due)
    wait(job, '1', due)
    job.failures, job.losses, job.cancelling, job.finished = '0', '0', '0', '-'
  end,
  a = function(job) job.cancelling = '1' end,
}
local waits = { r = true, s = true, h = true, l = true }

local function is_refused(job, token, what)
  if token ~= '' then
    return job.state ~= '2' or job.attempt ~= token
  elseif what == 'a' then
    return job.state ~= '2'
  elseif what == 'k' then
    return has_ended(job)
  elseif what == 'o' then
    return job.state == '1' or job.state == '2'
  end
  return false
end

local function move(job, id, token, what, due, note)
  if is_refused(job, token, what) then
    return '0'
  elseif waits[what] and job.cancelling == '1' then
    return 'x'
  end
  if what == 'g' or (what == 'c' and due == '') then
    bury(job, id)
    return '1'
  end
  leave(job, id)
  moves[what](job, due)
  enter(job, id)
  if note ~= '' then
    noted[#noted + 1] = id
    lines[#lines + 1] = note
  end
  return '1'
end

-- Adds to the errors of jobs; of those of one job the newest fifty stay.
local function note()
  local known = get_rare('x', noted)
  local all = {}
  for index, id in ipairs(noted) do
    local text = lines[index]
    if known[index] then
      text = known[index] .. '\n' .. text
      local _, breaks = string.gsub(text, '\n', '')
      if breaks >= 50 then
        text = string.sub(text, string.find(text, '\n', 1, true) + 1)
      end
    end
    all[#all + 1] = id
    all[#all + 1] = text
  end
  call('HSET', 'x', all)
end

local ids = {}
for at = 2, #ARGV, WIDTH do
  ids[#ids + 1] = ARGV[at]
end
local found = standings(ids)
local answers = {}
for number, id in ipairs(ids) do
  local at = 2 + (number - 1) * WIDTH
  local token, what, due = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  if not found[number] then
    answers[number] = '-'
  else
    answers[number] = move(parse(found[number]), id, token, what, due, ARGV[at + 4])
  end
end
write()
note()
return table.concat(answers)
