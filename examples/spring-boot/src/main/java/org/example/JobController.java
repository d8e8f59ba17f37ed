package org.example;

import io.holdfast.core.process.Spawn;
import io.holdfast.core.run.Run;
import io.holdfast.core.run.RunResult;
import io.holdfast.core.scope.ProcessScope;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;
import java.time.Duration;

@RestController
class JobController {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final ProcessScope jobs;

    JobController(ProcessScope jobs) {
        this.jobs = jobs;
    }

    /** Runs a program during the request, which waits on a virtual thread. */
    @PostMapping("/sort")
    String sort(@RequestBody String text) throws InterruptedException {
        RunResult sorted = Run.of("sort", "-u").input(text).timeout(PATIENCE).run();
        if (!sorted.isSuccess()) {
            throw new ResponseStatusException(HttpStatus.INTERNAL_SERVER_ERROR, sorted.error());
        }
        return sorted.output();
    }

    /** Starts a job that outlives the request, but never the application. */
    @PostMapping("/jobs")
    @ResponseStatus(HttpStatus.ACCEPTED)
    void start(@RequestBody String script) {
        jobs.start(Spawn.of("sh", "-c", script))
                .onExit(); // the child is reaped although no code waits for it
    }

    @GetMapping("/idle")
    boolean isIdle() {
        return jobs.isEmpty();
    }
}
