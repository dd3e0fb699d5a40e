-- Makes jobs known that the ledger expects. One that is known already is left alone, unless it has ended.
-- ARGV: whether errors of an earlier life are kept; how many jobs; then id, place in the set of its state less the id, text
-- for each; then, for those that were claimed before or have tags: the number of the job among these, data (empty where it was
-- never claimed), tags.
-- Answers the ids that were not known.
local FIRST, WIDTH = 3, 3
local behind = FIRST + ARGV[2] * WIDTH
local ids = {}
for at = FIRST, behind - 1, WIDTH do
  ids[#ids + 1] = ARGV[at]
end
local datas, tags_of = {}, {}
for at = behind, #ARGV, WIDTH do
  local number = tonumber(ARGV[at])
  datas[number], tags_of[number] = ARGV[at + 1], ARGV[at + 2]
end
-- Most are new: then nothing is asked of how they stand.
local found = get('s', ids)
for index = 1, #ids do
  if found[index] then
    found = standings(ids)
    break
  end
end
local new, texts, fresh, tagged, forgotten = {}, {}, {}, {}, {}

local function offer(id, place, data, text, tags)
  local n = #new
  new[n + 1] = id
  enter_at(string.sub(text, 1, 1), place .. id)
  if data and data ~= '' then
    keep(id, data)
  end
  texts[2 * n + 1] = id
  texts[2 * n + 2] = text
  if tags and tags ~= '' then
    tagged[#tagged + 1] = id
    tagged[#tagged + 1] = tags
  end
end

-- What is offered of a job that had ended: it was claimed at least as often as before.
local function again(old, id, text)
  leave(old, id)
  forgotten[#forgotten + 1] = id
  local job = parse(string.match(text, '^[^\n]*'))
  job.attempt = tostring(math.max(tonumber(job.attempt), tonumber(old.attempt)))
  return pack(job)
end

for number, id in ipairs(ids) do
  local at = FIRST + (number - 1) * WIDTH
  local place, text = ARGV[at + 1], ARGV[at + 2]
  local old = found[number] and parse(found[number])
  if not old then
    fresh[#fresh + 1] = id
    offer(id, place, datas[number], text, tags_of[number])
  elseif has_ended(old) then
    offer(id, place, again(old, id, text), text, tags_of[number])
  end
end
if #forgotten > 0 then
  untag(forgotten)
  if ARGV[1] == '0' then
    call('HDEL', 'x', forgotten)
  end
end
write()
call('HSET', 's', texts)
count(fresh, 1)
call('HSET', 'g', tagged)
for at = 1, #tagged, 2 do
  for _, tag in ipairs(cjson.decode(tagged[at + 1])) do
    redis.call('ZADD', base .. 't:' .. tag, '0', tagged[at])
  end
end
return new
