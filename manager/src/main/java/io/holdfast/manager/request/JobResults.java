package io.holdfast.manager.request;

import io.holdfast.manager.unit.UnitName;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * The results of several requests, under the unit names that the caller used.
 *
 * @param <R> the type of a result
 */
final class JobResults<R> {
    private final Map<UnitName, R> results = new LinkedHashMap<>();
    private final Set<UnitName> open;
    private final CompletableFuture<Map<UnitName, R>> answer;

    /**
     * @param none the result of a request that has not ended
     */
    JobResults(Collection<UnitName> names, R none, CompletableFuture<Map<UnitName, R>> answer) {
        this.open = new LinkedHashSet<>(names);
        this.answer = answer;
        names.forEach(name -> results.put(name, none));
        if (open.isEmpty()) {
            answer.complete(results);
        }
    }

    void add(UnitName name, R result) {
        results.put(name, result);
        if (open.remove(name) && open.isEmpty()) {
            answer.complete(results);
        }
    }
}
