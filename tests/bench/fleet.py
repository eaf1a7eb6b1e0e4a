"""Says what a node and a fleet would carry, from the costs that tests/bench/run measured, and what is full first."""

import argparse
import dataclasses
import json
import os
import statistics
import sys

import fleet_model as model

HERE = os.path.dirname(os.path.abspath(__file__))


def options_of(parser, of, group):
    group = parser.add_argument_group(group)
    for field in dataclasses.fields(of):
        group.add_argument("--" + field.name.replace("_", "-"), type=type(field.default), default=field.default,
                           help=f"({field.default:g})")


def taken(of, options):
    return of(**{field.name: getattr(options, field.name) for field in dataclasses.fields(of)})


def bar(share, width=40):
    return "#" * round(min(share, 1.0) * width)


def print_node(load):
    ram, disk, validated, missed = load.shares
    print(f"  {load.rate:,.0f} requests a second; {load.first} is full first")
    print(f"  of what may be cached: {ram:.1%} from RAM, {disk:.1%} from disk, {validated:.1%} validated, {missed:.1%} missed;"
          f" {1e6 * load.cpu_seconds:.0f} us of CPU a request")
    for name, share in sorted(load.used.items(), key=lambda item: -item[1]):
        print(f"    {name:20} {share:7.1%}  {bar(share)}")


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/fleet", description=__doc__)
    parser.add_argument("--costs", default=os.path.join(HERE, "measured.json"), help="what run --json wrote, with `model`")
    parser.add_argument("--nodes", type=int, default=200, help="of the fleet (200)")
    parser.add_argument("--places", type=int, default=30, help="they stand in (30)")
    parser.add_argument("--origin-rate", type=float, default=10_000,
                        help="requests a second that the origin takes (10000, API Gateway's quota for an account and region)")
    parser.add_argument("--site-share", type=float, default=0.05, help="of the traffic that a deploy's site has (0.05)")
    parser.add_argument("--seed", type=int, default=1)
    options_of(parser, model.Workload, "workload")
    options_of(parser, model.Machine, "one node")
    options = parser.parse_args()
    work, machine = taken(model.Workload, options), taken(model.Machine, options)
    with open(options.costs) as file:
        measured = json.load(file)
    try:
        costs = model.costs_from(measured["rows"], measured["model"])
        places = model.fleet(options.places, options.nodes, options.seed)
    except (model.MissingCost, KeyError, ValueError) as why:
        sys.exit(f"{options.costs}: {why}")

    print(f"One node of {machine.cores} cores, CPU per request as with one worker:")
    best = model.node_capacity(dataclasses.replace(costs, contention=0.0), work, machine)
    print_node(best)
    if costs.contention > 0:
        print(f"The same if each worker more costs each request what the second was measured to, {costs.contention:.2%}:")
        best = model.node_capacity(costs, work, machine)
        print_node(best)

    loops = machine.cores - 1
    connections = int(best.rate / work.requests_per_connection * work.connection_seconds)
    uneven = model.imbalance(min(connections, 200_000), loops, options.seed)
    print(f"Loops: {min(connections, 200_000):,} connections that fall on {loops} loops by chance make the busiest {uneven:.2f} of the mean.")
    sizes = model.size_points(work)
    service = [model.interpolate(costs.hit["tls-h2"], s) for s in sizes]
    for used in (0.5, 1 - machine.keep_free, min(0.97, (1 - machine.keep_free) * uneven)):
        median, p99 = model.waiting(used, service, options.seed)
        print(f"  a loop used to {used:.0%}: a hit waits and is served in {1e3 * median:.2f} ms, p99 {1e3 * p99:.2f} ms")

    whole, full, hour = model.fleet_capacity(places, best.rate)
    print(f"A fleet of {options.nodes} nodes in {options.places} places: {whole:,.0f} requests a second on the day's mean; "
          f"place {full + 1} ({places[full].nodes} nodes) is full first, at {hour}:00 UTC.")
    busy = statistics.fmean(p.share(hour) for p in places) * len(places)
    node_rate = whole * busy / options.nodes
    ram, disk, validated, missed = model.node_at(node_rate, costs, work, machine).shares
    passed = options.nodes * node_rate * work.passed
    asked = options.nodes * node_rate * (1 - work.passed) * (validated + missed)
    print(f"  its origins get {passed:,.0f} requests a second that are never cached and {asked:,.0f} for the cache.")

    site = dataclasses.replace(work, objects=max(1, int(work.objects * options.site_share)), passed=0.0)
    storm = model.after_purge(site, node_rate * options.site_share, options.nodes, 60)
    over = next((n for n, rate in enumerate(storm) if rate <= options.origin_rate), None)
    print(f"A deploy that purges a site of {site.objects:,} objects and {options.site_share:.0%} of the traffic, all its nodes busy:")
    for second in (0, 1, 5, 10, 30, 59):
        print(f"    second {second + 1:2}: {storm[second]:12,.0f} requests a second at its origin  {bar(storm[second] / storm[0])}")
    print(f"  an origin that takes {options.origin_rate:,.0f} a second is " +
          ("never asked for more." if over == 0 else f"enough after {over} s." if over else "not enough for a minute and longer."))
    limits = [(best.first, 1.0), ("an origin after a deploy", options.origin_rate / storm[0])]
    first = min(limits, key=lambda item: item[1])
    print(f"First bottleneck of a node: {best.first}. Of the fleet: {first[0]}" +
          (f", at {first[1]:.1%} of the load above." if first[1] < 1 else "."))


if __name__ == "__main__":
    main()
