package io.holdfast.manager.mount;

import io.holdfast.manager.loop.TableWatch;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.unit.file.MountTable;
import io.holdfast.manager.unit.file.MountTable.Mounted;
import io.holdfast.manager.unit.section.MountUnit;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.unit.value.ExecCommand;
import io.holdfast.manager.view.MountStatus;
import java.util.Optional;

/** A mount at run time, as the table of mounts shows it. */
public final class ManagedMount extends Attachment<MountUnit> {
    private final TableWatch<MountTable> watch;

    /**
     * @param watch shared by all mounts of the manager
     */
    public ManagedMount(ManagerContext context, Unit unit, TableWatch<MountTable> watch) {
        super(context, unit, MountUnit.class, watch);
        this.watch = watch;
        watch.add(this);
    }

    private MountUnit.Section mount() {
        return unit().mount();
    }

    private Optional<Mounted> mounted() {
        return watch.table().at(mount().where());
    }

    @Override
    boolean isAttached() {
        return mounted().isPresent();
    }

    @Override
    String attached() {
        return "mounted on " + mount().where();
    }

    @Override
    void prepare(MountUnit definition) throws Exception {
        MountCommands.makeFolders(definition.mount());
    }

    @Override
    ExecCommand attachCommand() {
        return MountCommands.mount(mount());
    }

    @Override
    ExecCommand detachCommand() {
        return MountCommands.unmount(mount());
    }

    @Override
    Optional<ExecCommand> changeCommand() {
        return Optional.of(MountCommands.remount(mount()));
    }

    @Override
    String word(AttachmentState of) {
        return of.word();
    }

    @Override
    public Optional<MountStatus> details() {
        return Optional.of(
                new MountStatus(
                        control(),
                        mounted().map(Mounted::source).orElse(mount().what()),
                        mounted().map(Mounted::type).or(mount()::type).orElse(""),
                        mounted().map(Mounted::options).orElse(mount().options().toString())));
    }
}
