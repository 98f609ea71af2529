-- Decides on a request to a shared quota. It does what QuotaRequest.decide does, which says why.
local key, request = KEYS[1], cjson.decode(ARGV[1])
local LEASE, LONGEST_WINDOW, KEPT = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function earlier(one, other)
  if one == nil or other == nil then return one or other end
  return math.min(one, other)
end

local function load(state)
  local latest, lapses_by = now + LONGEST_WINDOW, now + LEASE
  local holders = {}
  for holder, held in pairs(state.holders or {}) do
    if held[2] > now then holders[holder] = { held[1], math.min(held[2], lapses_by) } end
  end
  return {
    at = now,
    remaining = state.remaining,
    limit = state.limit,
    window = state.window,
    ended = state.ended,
    turns = state.turns and math.min(state.turns, latest),
    is_certain = state.is_certain ~= false,
    paused = math.min(state.paused or 0, latest),
    asking = state.at == nil and lapses_by or state.asking and math.min(state.asking, lapses_by),
    holders = holders,
  }
end

local function hold(quota, held)
  quota.holders[request.holder] = { held, now + LEASE }
end

local function is_past(quota, window)
  if window == nil then return false end
  if quota.ended ~= nil and window <= quota.ended then return true end
  return quota.window ~= nil and window < quota.window
end

local function note(quota, news)
  if news.paused_for > 0 then quota.paused = math.max(quota.paused, now + news.paused_for) end
  if news.remaining == nil then
    if quota.asking ~= nil then quota.asking, quota.remaining = nil, nil end
    return
  end
  if not news.is_refusal and is_past(quota, news.window) then return end
  local turns = news.turns_in and now + news.turns_in
  if not news.is_refusal and news.window ~= nil and news.window == quota.window then
    quota.remaining = earlier(quota.remaining, news.remaining)
    quota.turns = earlier(turns, quota.turns)
  else
    quota.remaining, quota.turns = news.remaining, turns
  end
  quota.window = news.window or quota.window
  quota.limit = news.limit or quota.limit
  quota.is_certain, quota.asking = news.is_certain, nil
end

local function has_turned(quota)
  if quota.turns == nil then return quota.remaining <= 0 end
  return now >= quota.turns
end

local function start_window(quota)
  if quota.turns ~= nil and not quota.is_certain then
    quota.asking, quota.remaining = now + LEASE, nil
  else
    quota.remaining = quota.limit ~= 0 and quota.limit or nil
    quota.ended = quota.window or quota.ended
  end
  quota.window, quota.turns = nil, nil
end

local function grant(quota)
  if now < quota.paused then return 0, quota.paused - now end
  local total, holders = 0, 0
  for _, held in pairs(quota.holders) do
    total, holders = total + held[1], holders + 1
  end
  if quota.remaining ~= nil and quota.remaining <= total and has_turned(quota) then
    start_window(quota)
  end
  if quota.asking ~= nil then
    if now < quota.asking then
      return request.held == 0 and math.min(request.wanted, 1) or 0, -1
    end
    quota.asking = nil
  end
  if quota.remaining == nil then return request.wanted, -1 end
  local left = quota.remaining - total
  if left <= 0 then
    return 0, quota.remaining <= 0 and quota.turns ~= nil and quota.turns - now or -1
  end
  return math.min(request.wanted, math.max(1, math.floor(left / (2 * holders)))), -1
end

local function decide(state)
  local quota = load(state)
  hold(quota, request.held)
  if request.news ~= nil then note(quota, request.news) end
  local granted, wait = grant(quota)
  hold(quota, request.held + granted)
  if request.wanted == 0 and request.held == 0 then quota.holders[request.holder] = nil end
  return cjson.encode(quota), granted, wait
end

-- What others wrote under the key counts as nothing.
local kept = redis.pcall('GET', key)
local done, state, granted, wait = pcall(function() return decide(cjson.decode(kept)) end)
if not done then state, granted, wait = decide({}) end
redis.call('SET', key, state, 'EX', KEPT)
return { granted, wait }
