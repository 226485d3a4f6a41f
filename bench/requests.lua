-- What wrk asks, in one thread. The environment says what: see bench/wrk.py.
local ask = os.getenv("BENCH_ASK") -- get, send, check or cycle
local number = tonumber(os.getenv("BENCH_FIRST") or "0")
local pairs_file, codes_file = os.getenv("BENCH_PAIRS"), os.getenv("BENCH_CODES")
local keys, waiting, threads = {}, {}, {}, {}

-- Read by `done` from each thread, so these are global.
good, bad, ran_out, first_number, next_number = 0, 0, false, number, number
example = ""

for key in (os.getenv("BENCH_KEYS") or ""):gmatch("%S+") do
  table.insert(keys, { ["Authorization"] = "Bearer " .. key, ["Content-Type"] = "application/json" })
end

function setup(thread)
  table.insert(threads, thread)
end

function init()
  if ask == "check" then
    for line in io.lines(codes_file) do
      local phone, code = line:match("(%S+) (%S+)")
      table.insert(waiting, { phone, code })
    end
  end
  if pairs_file then
    pairs_file = io.open(pairs_file, "w")
    pairs_file:setvbuf("line")
  end
end

-- Indian mobiles, each once in a thousand million, neighbours with different prefixes.
local function phone_of(n)
  local prefix, line = n % 100000, math.floor(n / 100000)
  return string.format("+919%05d%04d", prefix * 7919 % 100000, (line + prefix * 31) % 10000)
end

-- A verification is its client's: who sent checks.
local function headers(phone)
  return keys[tonumber(phone:sub(-5)) % #keys + 1]
end

local function send()
  local phone = phone_of(number)
  local body = string.format('{"phone_number": "%s"}', phone)
  number = number + 1
  next_number = number
  return wrk.format("POST", "/send-otp", headers(phone), body)
end

local function check()
  local pair = table.remove(waiting)
  if not pair then
    ran_out = true
    wrk.thread:stop()
    return wrk.format("GET", "/health")
  end
  local body = string.format('{"phone_number": "%s", "otp": "%s"}', pair[1], pair[2])
  return wrk.format("POST", "/verify-otp", headers(pair[1]), body)
end

function request()
  if ask == "get" then
    return wrk.format()
  elseif ask == "send" or (ask == "cycle" and #waiting == 0) then
    return send()
  end
  return check()
end

if os.getenv("BENCH_EACH_MS") then
  function delay()
    return tonumber(os.getenv("BENCH_EACH_MS"))
  end
end

function response(status, _, body)
  if status >= 300 or body:find('"success": *false') then
    bad = bad + 1
    example = status .. " " .. body:gsub("%s+", " "):sub(1, 300)
    return
  end
  good = good + 1
  local code = body:match('"otp": *"(%d+)"')
  if not code then
    return
  end
  local phone = body:match('"phone_number": *"([+%d]+)"')
  if ask == "cycle" then
    table.insert(waiting, { phone, code })
  elseif pairs_file then
    pairs_file:write(phone, " ", code, "\n")
  end
end

function done(summary, latency)
  local thread, errors = threads[1], summary.errors
  print(string.format(
    'BENCH {"requests": %d, "seconds": %.6f, "p50": %.3f, "p99": %.3f, "refused": %d, '
      .. '"lost": %d, "timeouts": %d, "ran_out": %s, "next_number": %d}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, thread:get("bad"), errors.connect + errors.read + errors.write,
    errors.timeout, tostring(thread:get("ran_out")), thread:get("next_number")
  ))
  if thread:get("bad") > 0 then
    print("BENCH-EXAMPLE " .. thread:get("example"))
  end
end
