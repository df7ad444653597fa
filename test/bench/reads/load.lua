-- GETs each of the paths in the file of the first argument in turn; the second is the token, the third, if any, an
-- If-None-Match. Prints one line of JSON.
local requests, count, next = {}, 0, 0

function init(args)
  wrk.headers['Authorization'] = 'Bearer ' .. args[2]
  if args[3] then wrk.headers['If-None-Match'] = args[3] end
  for path in io.lines(args[1]) do
    count = count + 1
    requests[count] = wrk.format('GET', path)
  end
end

function request()
  next = next % count + 1
  return requests[next]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%f,"p50Ms":%f,"p99Ms":%f,"maxMs":%f,"failed":%d}\n',
    summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
