package io.holdfast.core.run;

import io.holdfast.core.Fd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The pipes of one run: from this process to the first program, from each program to the next, from
 * the last one to this process, and from the standard error of all to this process. The programs'
 * ends are closed with this, and ours unless they were taken.
 */
final class Pipes implements AutoCloseable {
    private final Settings settings;
    private final List<Fd> theirs = new ArrayList<>();
    private @Nullable Fd input; // until it is taken
    private @Nullable Fd output; // until it is taken
    private @Nullable Fd error; // until it is taken
    private final @Nullable Stdio errorOfAll;
    private Stdio nextInput;
    private final Stdio lastOutput;

    Pipes(Settings settings) {
        this.settings = settings;
        List<Fd> made = new ArrayList<>();
        try {
            boolean fed =
                    settings.input instanceof Input.Bytes || settings.input instanceof Input.Stream;
            Fd[] in = fed ? pipe(made) : null;
            boolean written = settings.outputFile == null;
            Fd[] out = written ? pipe(made) : null;
            boolean own = settings.stages.stream().anyMatch(stage -> !stage.mergeError());
            Fd[] err = own ? pipe(made) : null;
            input = in == null ? null : nonBlocking(in[1]);
            output = out == null ? null : nonBlocking(out[0]);
            error = err == null ? null : nonBlocking(err[0]);
            nextInput = in == null ? unfed(settings.input) : theirs(in[0]);
            Path file = settings.outputFile;
            lastOutput = out != null ? theirs(out[1]) : Stdio.to(file == null ? Path.of("") : file);
            errorOfAll = err == null ? null : theirs(err[1]);
        } catch (RuntimeException e) {
            made.forEach(Fd::close);
            throw e;
        }
    }

    private static Fd[] pipe(List<Fd> made) {
        Fd[] ends = Unistd.pipe2(0);
        made.add(ends[0]);
        made.add(ends[1]);
        return ends;
    }

    private static Fd nonBlocking(Fd end) {
        Fcntl.setBlocking(end, false);
        return end;
    }

    private static Stdio unfed(Input input) {
        return switch (input) {
            case Input.File(Path path) -> Stdio.from(path);
            case Input.Inherited _ -> Stdio.inherit();
            default -> Stdio.devNull();
        };
    }

    private Stdio theirs(Fd end) {
        theirs.add(end);
        return Stdio.descriptor(end);
    }

    /** Joins the next program to the previous one; called in the order of the pipeline. */
    Spawn join(RunStage stage, boolean last) {
        Spawn spawn = stage.spawn().copy().stdin(nextInput);
        if (last) {
            spawn.stdout(lastOutput);
        } else {
            Fd[] ends = Unistd.pipe2(0);
            spawn.stdout(theirs(ends[1]));
            nextInput = theirs(ends[0]);
        }
        return spawn.stderr(stage.mergeError() || errorOfAll == null ? Stdio.merged() : errorOfAll);
    }

    /**
     * Returns our end of the input, owned by the caller; null if this process does not write it.
     */
    @Nullable Fd takeInput() {
        Fd end = input;
        input = null;
        return end;
    }

    /**
     * Returns our end of the output, owned by the caller; null if this process does not read it.
     */
    @Nullable Fd takeOutput() {
        Fd end = output;
        output = null;
        return end;
    }

    /**
     * Returns our end of the standard error, owned by the caller; null if it is merged everywhere.
     */
    @Nullable Fd takeError() {
        Fd end = error;
        error = null;
        return end;
    }

    @Override
    public void close() {
        theirs.forEach(Fd::close);
        for (Fd end : new @Nullable Fd[] {input, output, error}) {
            if (end != null) {
                end.close();
            }
        }
    }

    @Override
    public String toString() {
        return RunExecution.text(settings.stages);
    }
}
