-- A site that judges by the name of a job: site-MODE-WHEN-…, where WHEN is submit or modify.
local function judge(job, name, when)
  local mode, wanted = string.match(name or "", "^site%-(%w+)%-(%w+)")
  if wanted ~= when then return slurm.SUCCESS end
  if mode == "says" then
    slurm.log_user("Please use QOS low")
  elseif mode == "error" then
    return slurm.ERROR
  elseif mode == "errorsays" then
    slurm.log_user("Not in the afternoon")
    return slurm.ERROR
  elseif mode == "account" then
    slurm.log_user("No account of yours")
    return 2045
  elseif mode == "limit" then
    return 2050
  elseif mode == "odd" then
    return 12345
  elseif mode == "comment" then
    job.comment = "rewritten by the site"
  elseif mode == "partition" then
    job.partition = "gpu"
  elseif mode == "unhold" then
    job.priority = slurm.NO_VAL
  elseif mode == "hold" then
    job.priority = 0
  end
  return slurm.SUCCESS
end

function slurm_job_submit(job, partitions, uid) return judge(job, job.name, "submit") end

function slurm_job_modify(job, record, partitions, uid) return judge(job, record.name, "modify") end

return slurm.SUCCESS
