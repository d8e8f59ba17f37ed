package io.holdfast.manager;

import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.unit.UnitName;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/** The results of several requests, under the unit names that the caller used. */
final class JobResults {
    private final Map<UnitName, JobResult> results = new LinkedHashMap<>();
    private final Set<UnitName> open;
    private final CompletableFuture<Map<UnitName, JobResult>> answer;

    JobResults(Collection<UnitName> names, CompletableFuture<Map<UnitName, JobResult>> answer) {
        this.open = new LinkedHashSet<>(names);
        this.answer = answer;
        names.forEach(name -> results.put(name, JobResult.INVALID));
        if (open.isEmpty()) {
            answer.complete(results);
        }
    }

    void add(UnitName name, JobResult result) {
        results.put(name, result);
        if (open.remove(name) && open.isEmpty()) {
            answer.complete(results);
        }
    }
}
