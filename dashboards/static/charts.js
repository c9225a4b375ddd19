// Draws every [data-chart]. Values are whole numbers; only labels divide by the exponent.
"use strict";

(() => {
  const MINUS = "\u2212", NARROW = "\u202f";

  // Whole minor units as text, without ever becoming a fraction of a float.
  function amount(minor, exponent, unit) {
    const digits = String(Math.abs(minor)).padStart(exponent + 1, "0");
    const whole = digits.slice(0, digits.length - exponent).replace(/\B(?=(\d{3})+(?!\d))/g, NARROW);
    const part = exponent ? "." + digits.slice(-exponent) : "";
    return (minor < 0 ? MINUS : "") + whole + part + (unit === "count" ? "" : NARROW + unit);
  }

  // Axis labels are short: 12k, 3.4M.
  function short(minor, exponent) {
    const value = minor / 10 ** exponent;
    const size = Math.abs(value);
    const [by, letter] = size >= 1e9 ? [1e9, "B"] : size >= 1e6 ? [1e6, "M"] : size >= 1e4 ? [1e3, "k"] : [1, ""];
    return (value < 0 ? MINUS : "") + (size / by).toLocaleString("en", { maximumFractionDigits: 1 }) + letter;
  }

  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const PALETTE = {
    light: ["#0b57a4", "#b45309", "#17663a", "#7b3fa0", "#56606b", "#a3201a"],
    dark: ["#8ab8f0", "#f0b26b", "#8fd6a8", "#cfa5ea", "#a3acb7", "#ffa29b"],
  };
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  function options(data) {
    const text = style("--muted"), line = style("--line");
    const colors = PALETTE[dark.matches ? "dark" : "light"];
    const last = data.x.length - data.partial;
    return {
      animation: false,
      color: colors,
      textStyle: { fontFamily: "inherit", color: text },
      aria: { enabled: false },
      grid: { left: 8, right: 16, top: data.series.length > 1 ? 36 : 16, bottom: 8, containLabel: true },
      legend: data.series.length > 1 ? { top: 0, left: 0, textStyle: { color: text }, itemWidth: 14, itemHeight: 8 } : undefined,
      tooltip: {
        trigger: "axis", renderMode: "richText", confine: true,
        formatter: (points) => [points[0].axisValue + (points[0].dataIndex >= last ? " (not over)" : "")]
          .concat(points.map((p) => p.seriesName + ": " + (p.value === null || p.value === undefined ? "–" : amount(p.value, data.exponent, data.unit))))
          .join("\n"),
      },
      xAxis: { type: "category", data: data.x, axisLine: { lineStyle: { color: line } }, axisTick: { show: false }, axisLabel: { color: text, hideOverlap: true } },
      yAxis: { type: "value", splitLine: { lineStyle: { color: line } }, axisLabel: { color: text, formatter: (value) => short(value, data.exponent) } },
      series: data.series.map((each, place) => ({
        name: each.name,
        type: data.kind === "line" ? "line" : "bar",
        stack: data.kind === "stacked" ? "all" : undefined,
        data: each.values.map((value, at) => (at >= last && data.kind !== "line" ? { value, itemStyle: { opacity: 0.45 } } : value)),
        symbol: "circle", symbolSize: 5, showSymbol: data.x.length < 40,
        lineStyle: { width: 2, type: each.faint ? "dashed" : "solid", opacity: each.faint ? 0.6 : 1 },
        itemStyle: { opacity: each.faint ? 0.45 : 1 },
        barMaxWidth: 28,
        color: colors[place % colors.length],
      })),
    };
  }

  const drawn = new Map();
  function draw(root) {
    for (const [place, chart] of drawn) {
      if (!place.isConnected) { chart.dispose(); drawn.delete(place); }
    }
    for (const place of root.querySelectorAll("[data-chart]")) {
      if (drawn.has(place)) continue;
      place.dataset.drawn = "yes";
      const chart = echarts.init(place, null, { renderer: "canvas" });
      chart.setOption(options(JSON.parse(place.dataset.chart)));
      drawn.set(place, chart);
    }
  }
  draw(document);
  document.addEventListener("htmx:afterSettle", () => draw(document));
  window.addEventListener("resize", () => drawn.forEach((chart) => chart.resize()));
  dark.addEventListener("change", () => drawn.forEach((chart, place) => chart.setOption(options(JSON.parse(place.dataset.chart)), true)));
})();
