package io.holdfast.core.run;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.limit.CoreLimits;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The settings of a {@link Run}: changed while they are built, and never afterwards. */
final class Settings {
    List<RunStage> stages;
    Input input = new Input.Nothing();
    @Nullable Duration timeout;
    Duration grace = Duration.ZERO;
    long outputLimit = CoreLimits.RUN_OUTPUT.value();
    long errorLimit = CoreLimits.RUN_ERROR.value();
    boolean ownLimit; // rather than the default ones
    Overflow overflow = Overflow.FAIL;
    Charset charset = UTF_8;
    @Nullable Path outputFile;
    @Nullable Consumer<String> outputLines;
    @Nullable Consumer<String> errorLines;
    boolean keepDescendants;
    boolean brokenPipeFails;

    Settings(RunStage only) {
        this.stages = List.of(only);
    }

    private Settings(Settings of) {
        stages = of.stages;
        input = of.input;
        timeout = of.timeout;
        grace = of.grace;
        outputLimit = of.outputLimit;
        errorLimit = of.errorLimit;
        ownLimit = of.ownLimit;
        overflow = of.overflow;
        charset = of.charset;
        outputFile = of.outputFile;
        outputLines = of.outputLines;
        errorLines = of.errorLines;
        keepDescendants = of.keepDescendants;
        brokenPipeFails = of.brokenPipeFails;
    }

    Settings with(Consumer<Settings> change) {
        Settings changed = new Settings(this);
        change.accept(changed);
        return changed;
    }
}
