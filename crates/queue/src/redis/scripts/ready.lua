-- Whether a queue has an available job and is not paused.
if redis.call('EXISTS', base .. 'p') == 1 then
  return 0
end
return redis.call('EXISTS', base .. 'z1')
