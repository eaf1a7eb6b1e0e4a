-- Which of the objects PREFIX1 to PREFIXCOUNT wrk asks for next. Arguments: ORDER COUNT [PREFIX [STEP]]; /object/ if
-- none; with STEP it is every so many of STEP to STEP * COUNT.
--   each      1, 2, 3 and so on; after COUNT from the beginning again
--   uniform   any, all alike
--   zipf      any, by Zipf's law with exponent 1: the first twice as often as the second
local drawn, at = {}, 0
local order, count, prefix, step

function init(args)
  order, count, prefix = args[1], tonumber(args[2]), args[3] or "/object/"
  step = tonumber(args[4] or 1)
  math.randomseed(42)
  if order == "zipf" then
    local sums, sum = {}, 0
    for n = 1, count do
      sum = sum + 1 / n
      sums[n] = sum
    end
    -- Popular ones are spread over the numbers, and so over the order in which they were stored.
    local shuffled = {}
    for n = 1, count do shuffled[n] = n end
    for n = count, 2, -1 do
      local other = math.random(n)
      shuffled[n], shuffled[other] = shuffled[other], shuffled[n]
    end
    for n = 1, 1000000 do
      local wanted, low, high = math.random() * sum, 1, count
      while low < high do
        local middle = math.floor((low + high) / 2)
        if sums[middle] < wanted then low = middle + 1 else high = middle end
      end
      drawn[n] = shuffled[low]
    end
  end
end

function request()
  at = at + 1
  local n
  if order == "each" then
    n = (at - 1) % count + 1
  elseif order == "zipf" then
    n = drawn[(at - 1) % #drawn + 1]
  else
    n = math.random(count)
  end
  return wrk.format("GET", prefix .. n * step)
end
