package io.holdfast.benchmarks.operations;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.process.CgroupPath;
import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonLimits;
import java.util.Optional;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Text that arrives with a process or a call, parsed into values. */
@State(Scope.Thread)
public class TextOperations {
    private final String cgroup =
            "/user.slice/user-1000.slice/user@1000.service/app.slice/app-clock.service";
    private final byte[] call =
            """
            {"method":"io.holdfast.Manager.StartUnit","parameters":{"name":"clock.service","mode":"replace"}}\
            """
                    .getBytes(UTF_8);

    @Benchmark
    public Optional<String> unitOfCgroup() {
        return CgroupPath.parse(cgroup).userUnit();
    }

    @Benchmark
    public Json varlinkCall() {
        return Json.parse(call, JsonLimits.DEFAULT);
    }
}
