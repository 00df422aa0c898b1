//! Layout of a map: layers by distance, and an order with few crossings in each layer.

use std::collections::{BTreeMap, BTreeSet};

/// Maximum number of layers; nodes further away go to the last one.
const MOST_LAYERS: usize = 7;
const SWEEPS: usize = 8;

/// Nodes as numbers from 0, calls as pairs of them.
pub(super) struct Layout {
    /// The nodes of every layer, from top to bottom.
    pub(super) layers: Vec<Vec<usize>>,
    /// Which layer a node is in.
    pub(super) layer: Vec<usize>,
    /// The number of nodes in the last layer that are further away.
    pub(super) squeezed: usize,
}

/// Lays the nodes out. `clients` come first of all.
pub(super) fn layers(nodes: usize, edges: &[(usize, usize)], clients: &[usize]) -> Layout {
    let distance = distances(nodes, edges, clients);
    let layer: Vec<usize> = distance.iter().map(|d| (*d).min(MOST_LAYERS - 1)).collect();
    let squeezed = distance.iter().filter(|d| **d >= MOST_LAYERS).count();
    let mut layers = vec![Vec::new(); layer.iter().max().map_or(0, |most| most + 1)];
    for (node, at) in layer.iter().enumerate() {
        layers[*at].push(node);
    }
    // Only calls between adjacent layers are considered; longer forward calls cannot exist, since layers are distances.
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); nodes];
    let mut after: Vec<Vec<usize>> = vec![Vec::new(); nodes];
    for &(from, to) in edges {
        if layer[from] + 1 == layer[to] {
            after[from].push(to);
            before[to].push(from);
        }
    }
    let mut best = layers.clone();
    let mut fewest = crossings(&layers, &after);
    for sweep in 0..SWEEPS {
        if fewest == 0 {
            break;
        }
        let down = sweep % 2 == 0;
        let neighbours = if down { &before } else { &after };
        let order: Vec<usize> = if down { (1..layers.len()).collect() } else { (0..layers.len() - 1).rev().collect() };
        for at in order {
            let other = if down { at - 1 } else { at + 1 };
            let places: BTreeMap<usize, usize> = layers[other].iter().enumerate().map(|(i, n)| (*n, i)).collect();
            let here: BTreeMap<usize, usize> = layers[at].iter().enumerate().map(|(i, n)| (*n, i)).collect();
            // Twice the median, to keep it an integer; a node without neighbours keeps its place.
            let median = |node: usize| {
                let mut all: Vec<usize> = neighbours[node].iter().filter_map(|n| places.get(n).copied()).collect();
                all.sort_unstable();
                match all.len() {
                    0 => here.get(&node).copied().unwrap_or(0) * 2,
                    n if n % 2 == 1 => all[n / 2] * 2,
                    n => all[n / 2 - 1] + all[n / 2],
                }
            };
            layers[at].sort_by_key(|n| (median(*n), here.get(n).copied()));
        }
        let now = crossings(&layers, &after);
        if now < fewest {
            fewest = now;
            best = layers.clone();
        }
    }
    Layout { layers: best, layer, squeezed }
}

/// The distance of each node from a client, in calls. Nodes that no client reaches are counted from nodes without a
/// caller, and cycles without either from their first node.
fn distances(nodes: usize, edges: &[(usize, usize)], clients: &[usize]) -> Vec<usize> {
    let called: BTreeSet<usize> = edges.iter().filter(|(from, to)| from != to).map(|(_, to)| *to).collect();
    let mut starts: Vec<usize> = clients.to_vec();
    starts.extend((0..nodes).filter(|n| !called.contains(n)));
    let mut next: Vec<Vec<usize>> = vec![Vec::new(); nodes];
    for &(from, to) in edges {
        next[from].push(to);
    }
    loop {
        let mut distance = vec![usize::MAX; nodes];
        let mut front: Vec<usize> = starts.clone();
        for start in &starts {
            distance[*start] = 0;
        }
        let mut steps = 0;
        while !front.is_empty() {
            steps += 1;
            let mut further = Vec::new();
            for node in front {
                for &to in &next[node] {
                    if distance[to] == usize::MAX {
                        distance[to] = steps;
                        further.push(to);
                    }
                }
            }
            front = further;
        }
        match distance.iter().position(|d| *d == usize::MAX) {
            None => return distance,
            Some(first) => starts.push(first),
        }
    }
}

fn crossings(layers: &[Vec<usize>], after: &[Vec<usize>]) -> usize {
    let mut sum = 0;
    for pair in layers.windows(2) {
        let places: BTreeMap<usize, usize> = pair[1].iter().enumerate().map(|(i, n)| (*n, i)).collect();
        let ends: Vec<(usize, usize)> = pair[0]
            .iter()
            .enumerate()
            .flat_map(|(i, n)| {
                after[*n].iter().filter_map(|to| Some((*places.get(to)?, ()))).map(move |(p, ())| (i, p))
            })
            .collect();
        for (i, a) in ends.iter().enumerate() {
            sum += ends[i + 1..].iter().filter(|b| (a.0 < b.0 && a.1 > b.1) || (a.0 > b.0 && a.1 < b.1)).count();
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_by_distance_with_few_crossings() {
        let edges = [(0, 1), (0, 2), (1, 4), (2, 3)];
        let found = layers(5, &edges, &[0]);
        assert_eq!(found.layers, [vec![0], vec![1, 2], vec![4, 3]]);
        assert_eq!(found.layer, [0, 1, 1, 2, 2]);
    }

    #[test]
    fn cycles_and_isolated_nodes_are_placed() {
        assert_eq!(layers(0, &[], &[]).layers, Vec::<Vec<usize>>::new());
        assert_eq!(layers(2, &[(0, 1), (1, 0)], &[]).layer, [0, 1]);
        assert_eq!(layers(4, &[(0, 1), (2, 3), (3, 2), (1, 1)], &[0]).layer, [0, 1, 0, 1]);
        let chain: Vec<(usize, usize)> = (0..19).map(|i| (i, i + 1)).collect();
        let found = layers(20, &chain, &[0]);
        assert_eq!((found.layers.len(), found.squeezed), (7, 13));
    }
}
