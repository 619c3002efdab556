/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Limits of a container as a whole, by its properties and dre.conf. They are those of its outer
 * control group, so that they hold for its named ones, too.
 */
#ifndef DRE_APP_LIMITS_H
#define DRE_APP_LIMITS_H

struct app;
struct dre_limits;

/* So many levels of control groups the container can have in its outer one. */
#define LIMITS_DEPTH "64"

/*
 * Sets those of app->config in a control group that has none of these yet, before anything runs in it; and how
 * deep the groups in it may be.
 */
int limits_apply(const struct app *app);

/*
 * The container has other properties now: those of app->config instead of @before. Changes the limits
 * of its processes and then its manifest, both or none.
 */
int limits_change(const struct app *app, const struct dre_limits *before);

#endif /* DRE_APP_LIMITS_H */
