-- Makes jobs known that the ledger expects. One that is known already is left alone, unless it has ended.
-- ARGV: whether errors of an earlier life are kept; then id, state, due, priority, attempt, text, tags for each job.
-- Answers the ids that were not known.
local WIDTH = 7
local ids = {}
for at = 2, #ARGV, WIDTH do
  ids[#ids + 1] = ARGV[at]
end
local found = get('d', ids)
local new, texts, index, tagged, forgotten = {}, {}, {}, {}, {}
for number, id in ipairs(ids) do
  local at = 2 + (number - 1) * WIDTH
  local old = found[number] and parse(found[number])
  if not old or has_ended(old) then
    local attempt = ARGV[at + 4]
    if old then
      leave(old, id)
      forgotten[#forgotten + 1] = id
      attempt = tostring(math.max(tonumber(attempt), tonumber(old.attempt)))
    end
    enter({
      state = ARGV[at + 1], due = ARGV[at + 2], priority = ARGV[at + 3], attempt = attempt, failures = '0',
      losses = '0', cancelling = '0', started = '-', finished = '-', worker = '-',
    }, id)
    new[#new + 1] = id
    texts[#texts + 1] = id
    texts[#texts + 1] = ARGV[at + 5]
    index[#index + 1] = '0'
    index[#index + 1] = id
    if ARGV[at + 6] ~= '' then
      tagged[#tagged + 1] = id
      tagged[#tagged + 1] = ARGV[at + 6]
    end
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
call('ZADD', 'i', index)
call('HSET', 'g', tagged)
for at = 1, #tagged, 2 do
  for _, tag in ipairs(cjson.decode(tagged[at + 1])) do
    redis.call('ZADD', base .. 't:' .. tag, '0', tagged[at])
  end
end
return new
