package io.holdfast.manager.job;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** Finds cycles in a directed graph: a depth-first search with an explicit stack. */
public final class CycleSearch<N> {
    private final Function<N, ? extends Collection<N>> next;
    private final Set<N> clear = new HashSet<>();

    /**
     * @param next returns the nodes that follow a node
     */
    public CycleSearch(Function<N, ? extends Collection<N>> next) {
        this.next = next;
    }

    /** Returns the nodes of a cycle, each before the next and the last before the first. */
    public Optional<List<N>> find(Collection<? extends N> starts) {
        for (N start : starts) {
            List<N> cycle = clear.contains(start) ? List.of() : from(start);
            if (!cycle.isEmpty()) {
                return Optional.of(cycle);
            }
        }
        return Optional.empty();
    }

    private List<N> from(N start) {
        Map<N, Iterator<N>> path = new LinkedHashMap<>();
        Deque<N> top = new ArrayDeque<>(List.of(start));
        path.put(start, next.apply(start).iterator());
        while (!top.isEmpty()) {
            N node = top.peekLast();
            Iterator<N> left = path.getOrDefault(node, List.<N>of().iterator());
            if (!left.hasNext()) {
                top.removeLast();
                path.remove(node);
                clear.add(node);
                continue;
            }
            N follower = left.next();
            if (path.containsKey(follower)) {
                List<N> all = new ArrayList<>(path.keySet());
                return all.subList(all.indexOf(follower), all.size());
            }
            if (!clear.contains(follower)) {
                top.addLast(follower);
                path.put(follower, next.apply(follower).iterator());
            }
        }
        return List.of();
    }
}
