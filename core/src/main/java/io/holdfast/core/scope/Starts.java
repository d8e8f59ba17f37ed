package io.holdfast.core.scope;

import io.holdfast.core.sys.Deadline;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** Counts the starts of a scope that are under way, and refuses new ones once it ends. */
final class Starts {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition over = lock.newCondition();
    private int underWay;
    private boolean refusing;

    /** Begins a start; returns false if starts are refused. */
    boolean begin() {
        lock.lock();
        try {
            if (refusing) {
                return false;
            }
            underWay++;
            return true;
        } finally {
            lock.unlock();
        }
    }

    void end() {
        lock.lock();
        try {
            if (--underWay == 0) {
                over.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    void refuse() {
        lock.lock();
        try {
            refusing = true;
        } finally {
            lock.unlock();
        }
    }

    boolean isRefusing() {
        lock.lock();
        try {
            return refusing;
        } finally {
            lock.unlock();
        }
    }

    boolean areOver() {
        lock.lock();
        try {
            return underWay == 0;
        } finally {
            lock.unlock();
        }
    }

    /** Waits until no start is under way; returns false when the time is over. */
    boolean awaitOver(Deadline deadline) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            long left = deadline.left().toNanos();
            while (underWay > 0) {
                if (left <= 0) {
                    return false;
                }
                left = over.awaitNanos(left);
            }
            return true;
        } finally {
            lock.unlock();
        }
    }
}
