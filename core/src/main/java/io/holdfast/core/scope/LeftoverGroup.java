package io.holdfast.core.scope;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.sys.Unistd;

/** The processes of a scope without a cgroup whose JVM is dead: those of our user. */
final class LeftoverGroup extends WalkedGroup {
    private final Mark mark;

    LeftoverGroup(Mark mark) {
        this.mark = mark;
    }

    @Override
    Walk walk(boolean stopping) {
        return Walk.ofAll(
                mark,
                Unistd.geteuid(),
                new Walk.Visitor() {
                    @Override
                    public boolean isStarted(PidFd child) {
                        return false; // another JVM has started them all
                    }

                    @Override
                    public void visit(PidFd member) {
                        if (stopping) {
                            send(member, Signal.STOP);
                        }
                    }

                    @Override
                    public boolean reap(PidFd zombie) {
                        return OwnChildren.reap(zombie);
                    }

                    @Override
                    public void abandon(PidFd member) {
                        if (stopping) {
                            send(member, Signal.KILL);
                        }
                    }
                });
    }

    @Override
    void killHeld() {
        // none is held
    }

    @Override
    public Child start(Spawn spawn) {
        throw new IllegalStateException("its JVM is dead");
    }

    @Override
    public void adopt(PidFd process) {
        throw new IllegalStateException("its JVM is dead");
    }

    @Override
    public void close() {
        // it holds nothing
    }
}
