// Asks for this page again and shows what the edge said about it.
"use strict";

const $ = (id) => document.getElementById(id);
const kept = 6; // answers shown
// An address of this visit's own: nobody has asked for it yet, so the first answer is a miss.
const address = `/?visit=${Date.now().toString(36)}`;

// The first word that matters of a Cache-Status field (RFC 9211): `verge; hit; ttl=42`, `verge; fwd=uri-miss; stored`.
function result(cacheStatus) {
  if (!cacheStatus) return "unknown";
  const parameters = cacheStatus.split(";").map((part) => part.trim());
  if (parameters.includes("hit")) return "hit";
  const forward = parameters.find((part) => part.startsWith("fwd="));
  return forward === "fwd=stale" ? "stale" : "miss";
}

function show(answer) {
  const way = document.querySelector(".way");
  way.classList.remove("hit", "miss");
  way.classList.add(answer.result === "hit" ? "hit" : "miss");
  $("edge-says").textContent = answer.result;

  const row = document.createElement("tr");
  const cells = [answer.result, answer.age === null ? "-" : `${answer.age} s`, `${answer.time.toFixed(1)} ms`, answer.status];
  for (const text of cells) {
    const cell = document.createElement("td");
    cell.textContent = text;
    row.append(cell);
  }
  row.firstChild.className = `word ${answer.result === "hit" ? "hit" : "miss"}`;
  $("answers").prepend(row);
  while ($("answers").children.length > kept) $("answers").lastChild.remove();
}

async function ask() {
  $("again").disabled = true;
  try {
    const start = performance.now();
    const response = await fetch(address, { cache: "no-store" });
    await response.text();
    const status = response.headers.get("cache-status");
    show({
      result: result(status),
      age: response.headers.get("age"),
      time: performance.now() - start,
      status: status ?? "none: is this page served by Verge?",
    });
  } catch (error) {
    $("hint").textContent = `no answer: ${error.message}`;
  } finally {
    $("again").disabled = false;
  }
}

$("again").addEventListener("click", ask);
ask();
