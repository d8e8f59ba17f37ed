package io.holdfast.varlink.server;

import io.holdfast.varlink.json.JsonObject;
import java.util.concurrent.CompletionStage;

/**
 * Answers calls of one method later, from any thread. Exceptions, thrown or in the stage, are
 * treated as those of a {@link MethodHandler}.
 */
@FunctionalInterface
public interface AsyncMethodHandler {
    /**
     * Begins to answer a call whose parameters fit the method's definition, without blocking. Runs
     * where a {@link MethodHandler} runs.
     *
     * @param call the call
     * @return the parameters of the last reply, once known. It has to complete also where the
     *     caller hangs up ({@link Call#onHangup}): until then his connection counts
     * @throws Exception any, which is an error of the call
     */
    CompletionStage<JsonObject> handle(Call call) throws Exception;
}
