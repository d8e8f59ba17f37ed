package io.holdfast.manager.varlink;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.manager.ManagerView;
import io.holdfast.manager.access.Guard;
import io.holdfast.manager.access.Permission.Question;
import io.holdfast.varlink.idl.Interface;
import io.holdfast.varlink.server.Call;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;

/** What the services of systemd's interfaces share: their definitions, authorization, the loop. */
final class SystemdCalls {
    private final ManagerView manager;
    private final Guard guard;

    SystemdCalls(ManagerView manager, Guard guard) {
        this.manager = manager;
        this.guard = guard;
    }

    /** Reads the definition of an interface from the file of its name. */
    static Interface definition(String name) {
        try (InputStream text = SystemdCalls.class.getResourceAsStream(name + ".varlink")) {
            if (text == null) {
                throw new IllegalStateException("no definition of " + name);
            }
            return Interface.parse(new String(text.readAllBytes(), UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    ManagerView manager() {
        return manager;
    }

    /** Returns the question whether the caller of a method may do something. */
    static Question question(Call call, String action, Map<String, String> details) {
        return new Question(
                action, details, call.parameters().bool("allowInteractiveAuthentication", false));
    }

    /**
     * Makes a request on the event loop if its caller is authorized; a failure is the error that
     * the caller gets.
     *
     * @param request called on the loop
     */
    <T> CompletableFuture<T> permitted(
            Call call, Question question, Supplier<? extends CompletionStage<T>> request) {
        return guard.permit(call.peer(), List.of(question))
                .thenCompose(_ -> onLoop(request))
                .exceptionallyCompose(e -> CompletableFuture.failedFuture(UnitErrors.of(e)));
    }

    /** Makes a query on the event loop. */
    <T> CompletableFuture<T> onLoop(Supplier<? extends CompletionStage<T>> query) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        try {
            manager.loop()
                    .post(() -> {
                        try {
                            var _ =
                                    query.get()
                                            .whenComplete((value, failure) -> {
                                                if (failure == null) {
                                                    answer.complete(value);
                                                } else {
                                                    answer.completeExceptionally(failure);
                                                }
                                            });
                        } catch (RuntimeException e) {
                            answer.completeExceptionally(e);
                        }
                    });
        } catch (RejectedExecutionException e) {
            answer.completeExceptionally(e);
        }
        return answer;
    }

    /** Waits for the result of a query; a failure is the error that the caller gets. */
    static <T> T await(CompletableFuture<T> query) throws Exception {
        try {
            return query.get();
        } catch (ExecutionException e) {
            if (UnitErrors.of(e) instanceof Exception known) {
                throw known;
            }
            throw e;
        }
    }
}
