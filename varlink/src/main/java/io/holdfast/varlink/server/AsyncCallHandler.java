package io.holdfast.varlink.server;

import io.holdfast.varlink.json.JsonObject;
import java.util.concurrent.CompletionStage;

/**
 * The handler of a method that replies later, from any thread. Exceptions, thrown or in the stage,
 * are treated like those of a {@link CallHandler}.
 */
@FunctionalInterface
public interface AsyncCallHandler {
    /**
     * Begins to answer a call whose parameters fit the method's definition, without blocking. Runs
     * where a {@link CallHandler} would run.
     *
     * @param call the call
     * @return the parameters of the last reply, when they are known. The stage must complete even
     *     if the client hangs up ({@link Call#onHangup}): until then its connection counts toward
     *     the limits
     * @throws Exception any failure, which becomes the error reply
     */
    CompletionStage<JsonObject> handle(Call call) throws Exception;
}
