// SPDX-License-Identifier: BSD-2-Clause
// What the files of the shell share: shell.c the loop, shell_keys.c the keyboard, shell_commands.c the commands,
// shell_jobs.c the programs it started, ask.c its transactions. Each calls only those that follow it here.
#ifndef SERVICES_SHELL_PRIV_H
#define SERVICES_SHELL_PRIV_H

#include "services/protocol.h"
#include "services/service.h"
#include "services/services.h"
#include "services/shell/args.h"
#include "services/terminal/edit.h"

#define SHELL_TIMEOUT_MS 10000 // for what should be answered at once
#define SHELL_QUEUE 4u         // lines typed ahead

// A program that the shell started; it lives until its end has been told.
struct job {
    struct list link;           // [N] shell.jobs
    uint32_t number;            // [I] object of the owner capability
    uint32_t pid;               // [N] 0: not started yet
    char name[NAME_MAX_LEN];    // [I] as ps shows it: the program's, or with a number behind it
    char program[NAME_MAX_LEN]; // [I] in the store
    struct cap process, tty;    // [N]
    bool in_front;              // [N] it was, last: that it ended well is seen without words
    bool stunned;               // [N] by our order
    bool over;                  // [N] nothing more will come
    bool faulted, lost;         // [N] lost: nobody knows it any more
    uint32_t last;              // [N] enum owner_event
    uint32_t tid;               // [N] faulted: which thread
    int64_t status;             // [N]
    struct owner_fault fault;   // [N]
};

// The main task sleeps on its address, as do tasks that wait for the main task.
struct shell {
    struct port put;                             // [I] told of the ends of jobs
    uint8_t key[16];                             // [I]
    struct cap console, proc, node, bootfs, dir; // [I] from the boot directory
    struct thread *keys, *main;                  // [I]
    struct edit *edit;                           // [N] one page
    struct pool pool_job;
    struct list jobs;                           // [N]
    uint32_t last_job;                          // [N] number
    struct job *front;                          // [N] gets what is typed; NULL: the shell does
    bool at_prompt;                             // [N] the main task waits for a line
    bool interrupted, suspended;                // [N] Ctrl-C, Ctrl-Z, not yet seen to
    char prompt[NAME_MAX_LEN + 2];              // [I]
    char queue[SHELL_QUEUE][EDIT_LINE_MAX + 1]; // [N] lines typed and not yet taken
    unsigned queue_first, queued;               // [N]
    struct args args;                           // [N] of the line that is carried out
};
_Static_assert(sizeof(struct shell) <= PAGE_SIZE && sizeof(struct edit) <= PAGE_SIZE, "a page each");

// --- ask.c -------------------------------------------------------------------------------------------------------
void say(struct node *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
// A transaction whose reply (at most `max` bytes) comes into a new segment; the caller drops it. arg may be NULL.
int64_t fetch(struct node *n, const struct cap *c, uint32_t op, uint64_t max, struct seg **out, uint64_t *len);
// One without bytes, but for a capability in the reply (NULL: none) and a name in the request (NULL: none).
int64_t ask(struct node *n, const struct cap *c, uint32_t op, uint64_t arg0, const char *name, struct cap *out);
// Draws the row: the prompt when there is one, and what is being typed. how: enum console_show.
void show_row(struct node *n, uint32_t how);

// --- shell_jobs.c -------------------------------------------------------------------------------------------------
extern const struct service shell_owner; // is told of ends
void run_program(struct node *n, const struct args *w, unsigned first);
void job_to_front(struct node *n, struct job *j); // returns when it is not in front any more
void notify_ends(struct node *n);                 // of all jobs that are over; they are gone then
struct job *job_by_pid(struct node *n, uint32_t pid);
bool job_ended(struct node *n); // one of them is over
// "main+0x6": the function of a program of the store in which pc lies; the address when that is not known.
void program_place(struct node *n, const char *program, uint64_t pc, char *text, size_t size);
void job_free(struct node *n, struct job *j);

// --- shell_commands.c ---------------------------------------------------------------------------------------------
enum operand { OPERAND_NONE, OPERAND_FILE, OPERAND_PROC, OPERAND_COMMAND };
struct command {
    const char *name, *operands, *what, *example;
    const char *more;     // for help COMMAND; NULL: there is no more
    enum operand operand; // what completes its words
    unsigned least, most; // words behind the name
    void (*run)(struct node *n, const struct args *w);
};
extern const struct command commands[]; // ends with name NULL
const struct command *command_find(const char *name);
void run_line(struct node *n, const char *line);

// --- shell_keys.c -------------------------------------------------------------------------------------------------
void keys_main(struct node *n, void *arg);

#endif
