-- What the scripts share. KEYS[1] is what the names of all keys of one queue begin with; see the table in `redis/mod.rs`.
-- Ids and times are texts of a fixed width, so that they sort as numbers do and lose no digit.
local base = KEYS[1]
local PIECE = 1000
local ID = -19

-- Runs a command with a list that may be longer than what Lua can unpack.
local function call(command, name, list)
  for from = 1, #list, PIECE do
    redis.call(command, base .. name, unpack(list, from, math.min(from + PIECE - 1, #list)))
  end
end

-- The fields of a hash for ids, in their order; false or nil where there is none.
local function get(name, ids)
  if #ids > 0 and #ids <= PIECE then
    return redis.call('HMGET', base .. name, unpack(ids))
  end
  local all = {}
  for from = 1, #ids, PIECE do
    local part = redis.call('HMGET', base .. name, unpack(ids, from, math.min(from + PIECE - 1, #ids)))
    for index = 1, #part do
      all[from + index - 1] = part[index]
    end
  end
  return all
end

-- The same of a hash that most queues have nothing in.
local function get_rare(name, ids)
  if redis.call('EXISTS', base .. name) == 0 then
    return {}
  end
  return get(name, ids)
end

-- How jobs stand. One that was never claimed stands as the first line of its text says.
local function standings(ids)
  local found = get('d', ids)
  local unclaimed, places = {}, {}
  for index, id in ipairs(ids) do
    if not found[index] then
      unclaimed[#unclaimed + 1] = id
      places[#places + 1] = index
    end
  end
  if #unclaimed > 0 then
    local texts = get('s', unclaimed)
    for number, index in ipairs(places) do
      found[index] = texts[number] and string.match(texts[number], '^[^\n]*')
    end
  end
  return found
end

local PATTERN = '^(%d) (%d+) (%d+) (%d+) (%d+) (%d) (%d+) (%S+) (%S+) (%S+)$'

local function parse(text)
  local state, due, attempt, failures, losses, cancelling, priority, started, finished, worker =
    string.match(text, PATTERN)
  return {
    state = state, due = due, attempt = attempt, failures = failures, losses = losses, cancelling = cancelling,
    priority = priority, started = started, finished = finished, worker = worker,
  }
end

local function pack(job)
  return job.state .. ' ' .. job.due .. ' ' .. job.attempt .. ' ' .. job.failures .. ' ' .. job.losses .. ' '
    .. job.cancelling .. ' ' .. job.priority .. ' ' .. job.started .. ' ' .. job.finished .. ' ' .. job.worker
end

local function has_ended(job)
  return job.state == '4' or job.state == '5' or job.state == '6'
end

-- Where a job stands in the set of its state.
local function member(job, id)
  if job.state == '1' then
    return job.priority .. job.due .. id
  end
  return job.due .. id
end

-- What is to be written, gathered so that a script makes few calls however many jobs it moves.
local leaving, entering, fields, dead = {}, {}, {}, {}

local function leave_from(state, place)
  local list = leaving[state]
  if not list then
    list = {}
    leaving[state] = list
  end
  list[#list + 1] = place
end

local function leave(job, id)
  leave_from(job.state, member(job, id))
end

local function enter_at(state, place)
  local list = entering[state]
  if not list then
    list = {}
    entering[state] = list
  end
  local n = #list
  list[n + 1] = '0'
  list[n + 2] = place
end

local function keep(id, data)
  local n = #fields
  fields[n + 1] = id
  fields[n + 2] = data
end

local function enter(job, id)
  enter_at(job.state, member(job, id))
  keep(id, pack(job))
end

local function bury(job, id)
  leave(job, id)
  dead[#dead + 1] = id
end

local function untag(ids)
  local tags = get_rare('g', ids)
  if not next(tags) then
    return
  end
  for index, id in ipairs(ids) do
    if tags[index] then
      for _, tag in ipairs(cjson.decode(tags[index])) do
        redis.call('ZREM', base .. 't:' .. tag, id)
      end
    end
  end
  call('HDEL', 'g', ids)
end

-- All ids are known by the hundreds that they are in: a set of the hundreds with a job, and how many each has. Ids are
-- given out one after the other, so that a batch of jobs changes few of them.
local HUNDREDS = -3

local function count(ids, by)
  local jobs = {}
  for _, id in ipairs(ids) do
    local hundred = string.sub(id, 1, HUNDREDS)
    jobs[hundred] = (jobs[hundred] or 0) + by
  end
  for hundred, change in pairs(jobs) do
    local left = redis.call('HINCRBY', base .. 'n', hundred, change)
    if left == change then
      redis.call('ZADD', base .. 'i', '0', hundred)
    elseif left == 0 then
      redis.call('HDEL', base .. 'n', hundred)
      redis.call('ZREM', base .. 'i', hundred)
    end
  end
end

local function write()
  for state, list in pairs(leaving) do
    call('ZREM', 'z' .. state, list)
  end
  for state, list in pairs(entering) do
    call('ZADD', 'z' .. state, list)
  end
  call('HSET', 'd', fields)
  if #dead > 0 then
    untag(dead)
    call('HDEL', 'd', dead)
    call('HDEL', 's', dead)
    if redis.call('EXISTS', base .. 'x') == 1 then
      call('HDEL', 'x', dead)
    end
    count(dead, -1)
  end
end

-- All that is known of jobs: flat, five for each. How one stands that was never claimed, its text says.
local function describe(ids)
  local data, texts, tags, errors = get('d', ids), get('s', ids), get_rare('g', ids), get_rare('x', ids)
  local flat = {}
  for index, id in ipairs(ids) do
    if texts[index] then
      local n = #flat
      flat[n + 1] = id
      flat[n + 2] = data[index] or ''
      flat[n + 3] = texts[index]
      flat[n + 4] = tags[index] or ''
      flat[n + 5] = errors[index] or ''
    end
  end
  return flat
end
