package io.holdfast.manager.mount;

import io.holdfast.core.EventLoop;
import io.holdfast.manager.loop.Lane;
import io.holdfast.manager.loop.TableWatch;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.unit.file.SwapTable;
import io.holdfast.manager.unit.section.SwapUnit;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.unit.value.ExecCommand;
import io.holdfast.manager.unit.value.MountOptions;
import io.holdfast.manager.view.SwapStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/** A swap at run time, as the table of swaps shows it. */
public final class ManagedSwap extends Attachment<SwapUnit> {
    /** The swaps of a manager, and the table that they share. */
    public static final class Table {
        private final Set<String> asked = ConcurrentHashMap.newKeySet();
        private final TableWatch<SwapTable> watch;

        /**
         * @param lane for the reads
         */
        public Table(EventLoop loop, Lane lane, Consumer<String> warnings) {
            watch =
                    new TableWatch<>(
                            loop,
                            lane,
                            SwapTable.FILE,
                            TableWatch.Source.ofFile(SwapTable.FILE),
                            SwapTable.EMPTY,
                            () -> SwapTable.read(asked),
                            warnings);
        }
    }

    private final Table table;

    /**
     * @param table shared by all swaps of the manager
     */
    public ManagedSwap(ManagerContext context, Unit unit, Table table) {
        super(context, unit, SwapUnit.class, table.watch);
        this.table = table;
        table.asked.add(swap().what());
        table.watch.add(this);
    }

    private SwapUnit.Section swap() {
        return unit().swap();
    }

    private Optional<Integer> priority() {
        return table.watch.table().at(swap().what());
    }

    @Override
    boolean isAttached() {
        return priority().isPresent();
    }

    @Override
    String attached() {
        return "in use: " + swap().what();
    }

    @Override
    void prepare(SwapUnit definition) {}

    @Override
    ExecCommand attachCommand() {
        List<String> words = new ArrayList<>();
        List<String> options = new ArrayList<>(swap().options().options());
        swap().priority()
                .filter(priority -> priority >= 0 && !swap().options().has("pri"))
                .ifPresent(priority -> options.add("pri=" + priority));
        String text = new MountOptions(options).forMount();
        if (!text.isEmpty()) {
            words.addAll(List.of("-o", text));
        }
        words.add(swap().what());
        return MountCommands.command("swapon", words);
    }

    @Override
    ExecCommand detachCommand() {
        return MountCommands.command("swapoff", List.of(swap().what()));
    }

    @Override
    Optional<ExecCommand> changeCommand() {
        return Optional.empty();
    }

    @Override
    String word(AttachmentState of) {
        return of.swapWord();
    }

    @Override
    public void unloaded() {
        table.asked.remove(swap().what());
        super.unloaded();
    }

    @Override
    public Optional<SwapStatus> details() {
        return Optional.of(new SwapStatus(control(), priority().or(swap()::priority)));
    }
}
